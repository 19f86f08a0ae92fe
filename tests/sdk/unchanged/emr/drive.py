"""Runs the fax part of a medical record system, unmodified, under `fauxfax exec --dialect signalwire`. It sends and receives
faxes and gets signed callbacks about them, then lists the faxes page by page and fetches their documents."""

import datetime
import http.server
import os
import threading
import urllib.parse

import requests

from faxes import FINAL, FaxError, Faxes

SPACE = "example.signalwire.com"
NUMBER = "+15005550006"
EMULATOR = os.environ["FAUXFAX_URL"]
UTC = datetime.timezone.utc
NOBODYS = "831455c6-574e-4d8b-b6ee-2418140bf4cd"

emr = Faxes(
    SPACE,
    os.environ["SIGNALWIRE_PROJECT_ID"],
    os.environ["SIGNALWIRE_API_TOKEN"],
    os.environ["SIGNALWIRE_SIGNING_KEY"],
)


class Callbacks(http.server.BaseHTTPRequestHandler):
    """The web server of the medical record system: it refuses requests that are not signed."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
        url = self.server.url + self.path
        is_signed = emr.is_signed(url, form, self.headers)
        accepts_forged = emr.is_signed(url + "&site=other", form, self.headers)
        accepts_forged = accepts_forged or emr.is_signed(url, {**form, "FaxSid": NOBODYS}, self.headers)
        self.server.received.append((self.path, form, is_signed and not accepts_forged))
        self.send_response(200 if is_signed else 403)
        self.send_header("Content-Type", "text/xml")
        self.end_headers()
        if self.path.startswith("/fax/in"):
            self.wfile.write(b'<Response><Receive action="/fax/received?site=default&amp;step=2"/></Response>')

    def log_message(self, *_):
        pass


def control(method, path, **options):
    response = requests.request(method, EMULATOR + "/_fauxfax/v1" + path, timeout=30, **options)
    response.raise_for_status()
    return response.json()


def main(server):
    before = datetime.datetime.now(UTC) - datetime.timedelta(minutes=5)
    sample = EMULATOR + "/_fauxfax/v1/samples/one-page.pdf"
    callback = server.url + "/fax/status?site=default&job=%d"
    sent = [emr.send("+15558675310", NUMBER, sample, callback % job) for job in range(3)]
    busy = emr.send("+15005550101", NUMBER, sample, callback % 3)
    assert {fax["status"] for fax in sent} == {"queued"}
    emr.answer_at(NUMBER, server.url + "/fax/in?site=default")
    for _ in range(2):
        answer = control("POST", "/incoming-faxes", params={"wait": "true"}, json={"to": NUMBER, "pages": 2})
        assert answer["outcome"] == "received", answer
    control("GET", "/wait", params={"for": "idle", "timeout": 20})

    assert all(is_right for _, _, is_right in server.received), server.received
    told = {form["FaxSid"]: form for path, form, _ in server.received if not path.startswith("/fax/in")}
    assert len(told) == len(server.received) - 2 == 6, "two requests for cXML, and one callback about each of six faxes"

    until = datetime.datetime.now(UTC) + datetime.timedelta(minutes=5)
    faxes = list(emr.created_between(before, until, page_size=2))
    assert [fax["sid"] for fax in faxes[2:]] == [busy["sid"]] + [fax["sid"] for fax in reversed(sent)]
    assert [fax["direction"] for fax in faxes] == ["inbound"] * 2 + ["outbound"] * 4
    assert {fax["status"] for fax in faxes} <= FINAL
    assert list(emr.created_between(before - datetime.timedelta(days=1), before, page_size=2)) == []
    for fax in faxes:
        assert told[fax["sid"]]["FaxStatus"] == fax["status"]
        if fax["status"] == "busy":
            continue
        content_type, content = emr.document(fax["media_url"])
        assert (content_type, content[:5]) == ("application/pdf", b"%PDF-"), fax
        media, = emr.media(fax["sid"])
        assert (media["sid"], media["content_type"]) == (fax["media_sid"], "application/pdf")
        assert told[fax["sid"]]["MediaUrl"].startswith("https://files.signalwire.com/")

    for sid, call, status, code in (
        (busy["sid"], emr.cancel, 422, "10000"),
        (NOBODYS, emr.fetch, 404, "20404"),
    ):
        try:
            call(sid)
        except FaxError as error:
            assert (error.status, str(error.code)) == (status, code), error
        else:
            raise AssertionError("%s was not refused" % sid)
    emr.delete(busy["sid"])
    assert len(list(emr.created_between(before, until, page_size=50))) == 5
    print("%d faxes, %d callbacks" % (len(faxes), len(server.received)))


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Callbacks)
server.url = "http://127.0.0.1:%d" % server.server_port
server.received = []
threading.Thread(target=server.serve_forever, daemon=True).start()
main(server)
