"""Tests the space and each ASCII punctuation character that can stand in the path or the query of a StatusCallback: it is
sent as configured, or encoded if it can't be sent as it is, and the library's RequestValidator accepts the signature."""

import http.server
import string
import threading
import urllib.parse

import pytest
from twilio.request_validator import RequestValidator

ENCODED = {" ": "%20", '"': "%22", "<": "%3C", ">": "%3E", "`": "%60", "\\": "%5C"}
# A `?` begins the query and a `#` ends it.
PATH_MARKS = [mark for mark in string.punctuation + " " if mark not in "?#"]
QUERY_MARKS = [mark for mark in string.punctuation + " " if mark != "#"]


class App(http.server.BaseHTTPRequestHandler):
    """Responds to every POST and records the URL exactly as received, which a web framework would not."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(urllib.parse.parse_qsl(body, strict_parsing=True))
        self.server.requests.append((self.path, self.headers["X-Twilio-Signature"], form))
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
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def calls_back(emulator, account, raw_app):
    def calls_back(target):
        """Sends a fax whose StatusCallback has this path and query, and returns the URL and its requests."""
        raw_app.requests.clear()
        url = "http://127.0.0.1:%d%s" % (raw_app.server_port, target)
        form = {"To": "+15558675310", "From": "+15017122661", "MediaUrl": url, "StatusCallback": url}
        created = emulator.session.post(emulator.url + "/v1/Faxes", data=form, auth=(account.sid, account.token))
        assert created.status_code == 201, created.text
        emulator.settle(account.sid)
        assert raw_app.requests
        return url, list(raw_app.requests)

    return calls_back


@pytest.mark.parametrize(
    "target",
    ["/a%sz" % mark for mark in PATH_MARKS] + ["/s?n=o%sb" % mark for mark in QUERY_MARKS]
    + ["/a/../b/./c", "/%7Ejoe?x=%7E", "/s?n=o'brien&m=o%27brien"],
)
def test_a_mark_is_sent_and_signed_as_it_is_configured_or_encoded(account, calls_back, target):
    url, requests = calls_back(target)
    for mark, escape in ENCODED.items():
        url, target = url.replace(mark, escape), target.replace(mark, escape)
    validator = RequestValidator(account.token)
    for path, signature, form in requests:
        assert path == target
        assert validator.validate(url, form, signature)
        assert not validator.validate(url + "x", form, signature)
