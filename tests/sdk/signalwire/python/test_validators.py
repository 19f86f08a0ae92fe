"""Tests signatures with the library's RequestValidator. The app (webhook_app.py) checks every request of every test; these
tests add the signing key, and the space and each ASCII punctuation character that can stand in the path or the query of a
StatusCallback. Characters that can't be sent are encoded."""

import http.server
import os
import string
import threading
import urllib.parse

import pytest
from signalwire.request_validator import RequestValidator

from conftest import FROM, NUMBER, TO
from emulator import Emulator

ENCODED = {" ": "%20", '"': "%22", "<": "%3C", ">": "%3E", "`": "%60", "\\": "%5C"}
# A `?` begins the query and a `#` ends it.
PATH_MARKS = [mark for mark in string.punctuation + " " if mark not in "?#"]
QUERY_MARKS = [mark for mark in string.punctuation + " " if mark != "#"]


class App(http.server.BaseHTTPRequestHandler):
    """Responds to every POST and records the URL exactly as received, which a web framework would not."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(urllib.parse.parse_qsl(body, strict_parsing=True))
        self.server.requests.append((self.path, self.headers["X-SignalWire-Signature"], form))
        self.send_response(204)
        self.end_headers()

    def do_GET(self):
        self.send_error(404)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def raw_app():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), App)
    server.requests = []
    server.url = "http://127.0.0.1:%d" % server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "target",
    ["/a%sz" % mark for mark in PATH_MARKS] + ["/s?n=o%sb" % mark for mark in QUERY_MARKS]
    + ["/a/../b/./c", "/%7Ejoe?x=%7E", "/s?n=o'brien&m=o%27brien"],
)
def test_a_mark_is_sent_and_signed_as_it_is_configured_or_encoded(emulator, project, raw_app, rest, target):
    raw_app.requests.clear()
    url = raw_app.url + target
    status, shown = rest("POST", "/Faxes", To=TO, From=FROM, MediaUrl=raw_app.url + "/none", StatusCallback=url)
    assert status == 201, shown
    emulator.settle(project.id)
    for mark, escape in ENCODED.items():
        url, target = url.replace(mark, escape), target.replace(mark, escape)
    validator = RequestValidator(project.token)
    assert raw_app.requests
    for path, signature, form in raw_app.requests:
        assert path == target
        assert validator.validate(url, form, signature)
        assert not validator.validate(url + "x", form, signature)
        assert not validator.validate(url, {**form, "To": FROM}, signature)


def test_a_projects_signing_key_signs_and_its_token_does_not(tmp_path, raw_app):
    raw_app.requests.clear()
    project, token = "b3877c40-da60-4998-90ad-b792e98472ac", "PT" + "7" * 48
    signing_key = "PSK_localtestsigningkey0001"
    variables = {
        "SIGNALWIRE_PROJECT_ID": project,
        "SIGNALWIRE_API_TOKEN": token,
        "SIGNALWIRE_SIGNING_KEY": signing_key,
    }
    emulator = Emulator(os.environ["FAUXFAX_BIN"], tmp_path, "--dialect", "signalwire", variables=variables)
    try:
        url = raw_app.url + "/status?job=7"
        created = emulator.session.post(
            "%s/2010-04-01/Accounts/%s/Faxes" % (emulator.url, project),
            auth=(project, token),
            data={"To": TO, "From": NUMBER, "MediaUrl": raw_app.url, "StatusCallback": url},
        )
        assert created.status_code == 201, created.text
        emulator.settle(project)
        (_, signature, form), = raw_app.requests
        assert form["AccountSid"] == project
        assert RequestValidator(signing_key).validate(url, form, signature)
        assert not RequestValidator(token).validate(url, form, signature)
    finally:
        emulator.stop()
