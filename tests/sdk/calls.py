"""Helps blocks.py to run the curl calls on pages of docs: creates the resources that they use, and checks whether a page makes
all calls of an API."""

from __future__ import annotations

import base64
import json
import re
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CONTROL = "/_fauxfax/v1"
ANSWER_LIMIT_S = 30
#: The sections of docs/coverage.md whose operations a page must call, with the beginning of their paths.
COVERED = {
    "docs/dialects/twilio.md": {"Twilio's Fax API": "", "Twilio's accounts and numbers": "/2010-04-01", "Twilio's alerts": ""},
    "docs/dialects/signalwire.md": {"SignalWire's compatibility API": "/api/laml/2010-04-01"},
}
ACCOUNTS = {
    "twilio": ("AC" + "0" * 32, "0" * 32),
    "signalwire": ("b3877c40-da60-4998-90ad-b792e98472ac", "PTofTheRecipes"),
}
# A function that takes curl's place in a block. A refused call fails the block. A stream (-N) never ends, so it is read for a
# second.
CURL = """curl() {
    local status=0 limit=30
    printf '%s\\037' "$@" >>calls.log
    echo >>calls.log
    [[ " $* " != *" -sN "* ]] || limit=1
    command curl -S --fail-with-body --max-time $limit "$@" || status=$?
    ((status == 0 || (status == 28 && limit == 1)))
}
"""


class Accepting(BaseHTTPRequestHandler):
    """An app that accepts every notification."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Prints nothing."""


@contextmanager
def accepting_app() -> Iterator[int]:
    """Runs the app, and yields its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Accepting) as app:
        threading.Thread(target=app.serve_forever, args=[0.01], daemon=True).start()
        yield app.server_address[1]
        app.shutdown()


def resources(url: str, dialect: str, port: int, text: str) -> dict[str, str]:
    """Makes one resource of each kind for a block with this text, and returns the variables for them: $FAX, $NUMBER and so on."""
    account = ACCOUNTS[dialect]
    login = ":".join(account)

    def call(method: str, path: str, form: dict[str, str] | None = None) -> dict:
        request = urllib.request.Request(
            url + path,
            method=method,
            data=None if form is None else urllib.parse.urlencode(form).encode(),
            headers={"Authorization": "Basic " + base64.b64encode(login.encode()).decode()},
        )
        with urllib.request.urlopen(request, timeout=ANSWER_LIMIT_S) as response:
            return json.load(response)

    inner = f"/2010-04-01/Accounts/{account[0]}"
    faxes = "/v1/Faxes" if dialect == "twilio" else f"{inner}/Faxes"

    def sent(to: str) -> str:
        sample, callback = f"{url}{CONTROL}/samples/two-pages.pdf", f"http://localhost:{port}/status"
        order = {"From": "+15005550006", "To": to, "MediaUrl": sample, "StatusCallback": callback}
        sid = call("POST", faxes, order)["sid"]
        call("GET", f"{CONTROL}/wait?fax={sid}&for=settled")
        return sid

    fax = sent("+15558675310")
    webhook = call("GET", f"{CONTROL}/webhooks?fax={fax}")["webhooks"][-1]["id"]
    number = call("GET", f"{inner}/IncomingPhoneNumbers.json")["incoming_phone_numbers"][0]["sid"]
    variables = {"LOGIN": login, "ACCOUNT": account[0], "PROJECT": account[0], "FAX": fax, "WEBHOOK": webhook, "NUMBER": number}
    variables["MEDIA"] = call("GET", f"{faxes}/{fax}")["media_sid"]
    variables["APPLICATION"] = call("POST", f"{inner}/Applications.json", {"FriendlyName": "One"})["sid"]
    bins = call("GET", f"{CONTROL}/twiml-bins")["twiml_bins"]
    variables["BIN"] = bins[0]["sid"]
    if dialect == "twilio":
        call("POST", f"{inner}/OutgoingCallerIds.json", {"PhoneNumber": "+15005550010"})
        callers = call("GET", f"{inner}/OutgoingCallerIds.json?PhoneNumber=%2B15005550010")
        variables["CALLER"] = callers["outgoing_caller_ids"][0]["sid"]
        variables["KEY"] = call("POST", f"{inner}/Keys.json", {"FriendlyName": "One"})["sid"]
        if "$ALERT" in text:
            # Every call to this number fails.
            sent("+15005550103")
            variables["ALERT"] = call("GET", "/v1/Alerts")["alerts"][0]["sid"]
        message = {"From": "+15005550006", "To": "+15558675310", "Body": "Hello"}
        variables["MESSAGE"] = call("POST", f"{inner}/Messages.json", message)["sid"]
        call("GET", f"{CONTROL}/wait?for=idle")
    return variables


def missing(page: str, log: Path, url: str) -> list[str]:
    """Lists the calls that a page should make but doesn't: of the control API, or of the operations that the emulator serves."""
    if page == "docs/control-api.md":
        with urllib.request.urlopen(f"{url}{CONTROL}/openapi.json", timeout=ANSWER_LIMIT_S) as response:
            paths = json.load(response)["paths"]
        wanted = [(method.upper(), path) for path, operations in paths.items() for method in operations]
    elif page in COVERED:
        wanted = list(served(COVERED[page]))
    else:
        return []
    made = {call_of(line.split("\x1f")[:-1]) for line in log.read_text().splitlines()}
    return [f"{method} {path}" for method, path in wanted if not any(fits(method, path, call) for call in made)]


def fits(method: str, path: str, call: tuple[str, str]) -> bool:
    pattern = "[^/]+".join(re.escape(part) for part in re.split(r"\{\w+\}", path))
    return method == call[0] and re.fullmatch(pattern.removesuffix(r"\.json") + r"(\.json)?", call[1]) is not None


def served(sections: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yields the operations in these sections of docs/coverage.md."""
    for section in (ROOT / "docs/coverage.md").read_text().split("\n## ")[1:]:
        title = section.splitlines()[0]
        for method, path in re.findall(r"^\| `(\w+) (\S+)` \|", section, re.MULTILINE):
            if title in sections:
                yield method, sections[title] + path


def call_of(arguments: list[str]) -> tuple[str, str]:
    """Returns the method and the path of a call of curl."""
    sends = {"-d", "-F", "--data-binary", "--data-urlencode"} & set(arguments) and not {"-G", "-sG"} & set(arguments)
    method = arguments[arguments.index("-X") + 1] if "-X" in arguments else "POST" if sends else "GET"
    address = next(argument for argument in arguments if re.match(r"(http://)?(localhost|127\.0\.0\.1):\d", argument))
    return method, "/" + re.sub(r"^http://", "", address).split("?")[0].partition("/")[2]
