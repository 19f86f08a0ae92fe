#!/usr/bin/env python3
"""Makes the pages of docs that describe the program, by asking the program itself:

    docs/cli-reference.md   the help of each command
    docs/coverage.md        which operations and parameters of the services' APIs are served, found by calling each

    python3 docs/site/reference.py           writes them
    python3 docs/site/reference.py --check   fails if they differ from what it would write

FAUXFAX_BIN names the program (default: the one that cargo build makes).
"""

from __future__ import annotations

import base64
import difflib
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("FAUXFAX_BIN", str(ROOT / "target/debug/fauxfax"))
API = ROOT / "fixtures/api"
# A response that takes longer is an error.
PATIENCE_S = 30

TWILIO = ("AC" + "0" * 32, "0" * 32)
SIGNALWIRE = ("b3877c40-da60-4998-90ad-b792e98472ac", "PT" + "0" * 48)
# The values that are tried for each parameter. If the program reads the parameter, at least one of them changes the response,
# because every kind of parameter either uses or refuses one of them.
VALUES = ["nonsense", "false", "true", "7", "GET", "closed", "+12025550143", "http://other.test/x", "x" * 300]
# Parameters that have an effect only together with others, and those others.
BESIDE = {"Distance": {"NearNumber": "+15005550006"}, "Page": {"PageToken": "nonsense"}}
# Collections that are empty unless something is put into them.
LISTS = {"Alerts", "Applications", "Faxes", "Keys", "LamlBins", "OutgoingCallerIds"}
# Parameters that are kept and returned, and change nothing else (docs/fidelity.md).
KEPT = set(
    "AddressSid ApiVersion BundleSid EmergencyAddressSid EmergencyStatus IdentitySid TrunkSid VoiceCallerIdLookup".split()
)
KEPT |= set("SmsApplicationSid SmsFallbackMethod SmsFallbackUrl SmsMethod SmsUrl SmsStatusCallback MessageStatusCallback".split())


@dataclass
class Operation:
    """An operation as its service describes it, and what the program does with it."""

    method: str
    path: str
    parameters: list[str]
    served: bool = False
    read: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


class Emulator:
    """A running program, and the account that makes the calls."""

    def __init__(self) -> None:
        command = [BINARY, "serve", "--listen", "127.0.0.1:0", "--pace", "max", "--seed", "7"]
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
        self.process = subprocess.Popen(
            command, env=environment, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.url = self.process.stdout.readline().split()[2]
        self.account = TWILIO

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def call(self, method: str, path: str, parameters: dict[str, str] | None = None) -> tuple[int, str]:
        """Makes a REST call, and returns the status and the body."""
        encoded = urllib.parse.urlencode(parameters or {})
        reads = method == "GET"
        request = urllib.request.Request(
            self.url + path + (f"?{encoded}" if reads and encoded else ""),
            method=method,
            data=None if reads else encoded.encode(),
            headers={"Authorization": "Basic " + base64.b64encode(":".join(self.account).encode()).decode()},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def control(self, method: str, path: str, body: object = None) -> dict:
        separator = "&" if "?" in path else "?"
        request = urllib.request.Request(
            f"{self.url}/_fauxfax/v1{path}{separator}account={self.account[0]}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            return json.loads(response.read() or "{}")


class Api:
    """One service's API: where it is, and how its resources are made."""

    def __init__(self, emulator: Emulator, account: tuple[str, str], root: str):
        self.emulator, self.account, self.root = emulator, account, root

    def start(self) -> None:
        """Resets the account, with its number, ids and time, so that equal calls have equal responses."""
        self.emulator.account = self.account
        self.emulator.control("POST", "/reset?seed=7", {})

    def sent(self, collection: str, to: str) -> dict:
        """Sends a fax, and returns it once it has ended."""
        status, body = self.emulator.call("POST", collection, self.order(to))
        assert status == 201, body
        self.emulator.control("POST", "/clock/drain", {})
        sid = json.loads(body)["sid"]
        return json.loads(self.emulator.call("GET", f"{collection}/{sid}")[1])

    def order(self, to: str = "+15558675310") -> dict[str, str]:
        document = f"{self.emulator.url}/_fauxfax/v1/samples/one-page.pdf"
        return {"To": to, "From": "+15005550006", "MediaUrl": document}

    def needed(self, operation: Operation) -> dict[str, str]:
        """Returns the parameters without which a call can't succeed."""
        last = operation.path.removesuffix(".json").rpartition("/")[2]
        if operation.method != "POST":
            return {}
        return {
            "Faxes": self.order(),
            "IncomingPhoneNumbers": {"PhoneNumber": "+15005550009"},
            "OutgoingCallerIds": {"PhoneNumber": "+15005550009"},
            "Applications": {"FriendlyName": "One"},
            "LamlBins": {"Name": "One", "Contents": "<Response/>"},
        }.get(last) or ({"PhoneNumber": self.for_sale(last)} if last in ("Local", "Mobile", "TollFree") else {})

    def for_sale(self, kind: str) -> str:
        country = "GB" if kind == "Mobile" else "US"
        path = f"/2010-04-01/Accounts/{self.account[0]}/AvailablePhoneNumbers/{country}/{kind}.json"
        return json.loads(self.emulator.call("GET", path)[1])["available_phone_numbers"][0]["phone_number"]

    def resource(self, collection: str) -> dict:
        """Returns a resource of a collection, and first creates one unless the account has one after every reset."""
        name = collection.removesuffix(".json").rpartition("/")[2]
        if name == "Faxes":
            return self.sent(collection, "+15558675310")
        if name == "Alerts":
            self.sent("/v1/Faxes", "+15005550103")
        if name == "OutgoingCallerIds":
            self.emulator.call("POST", f"{collection}.json", {"PhoneNumber": "+15005550009"})
        if name in ("Applications", "Keys"):
            self.emulator.call("POST", f"{collection}.json", {"FriendlyName": "One"})
        if name == "LamlBins":
            self.emulator.call("POST", f"{collection}.json", {"Name": "One", "Contents": "<Response/>"})
        if name == "Accounts":
            return {"sid": self.account[0]}
        status, body = self.emulator.call("GET", collection if name == "Alerts" else f"{collection}.json")
        listed = json.loads(body) if status == 200 else {}
        return next((value[0] for value in listed.values() if isinstance(value, list) and value), {"sid": "none"})

    def target(self, path: str) -> str:
        """Returns the path of an operation, with the SIDs of resources that exist."""
        # In the inventory, only some countries have mobile numbers.
        country = "GB" if "/Mobile" in path else "US"
        path = path.replace("{AccountSid}", self.account[0]).replace("{CountryCode}", country).replace("{IsoCountry}", country)
        while "{" in path:
            collection, _, rest = path.partition("/{")
            name, _, after = rest.partition("}")
            found = self.resource(collection) if not collection.endswith("/Media") else {"sid": self.media}
            self.media = found.get("media_sid") or "none"
            path = f"{collection}/{found['sid']}{after}"
        return path

    def try_out(self, operation: Operation) -> None:
        """Finds out whether the operation is served, and which of its parameters change the response."""
        full = self.needed(operation)
        status, body = self.response(operation, full)
        operation.served = status not in (404, 405)
        if not operation.served:
            return
        if status >= 400:
            raise SystemExit(f"{operation.method} {operation.path}: can't be tried out: {status} {body}")
        bare = self.response(operation, {})
        for name in operation.parameters:
            beside = BESIDE.get(name, {})
            bases = [({}, bare), (full, (status, body))]
            if beside:
                bases = [(beside, self.response(operation, beside))]
            is_read = any(
                self.response(operation, {**base, name: value}) != expected for base, expected in bases for value in VALUES
            )
            places = operation.kept if is_read and name in KEPT else operation.read if is_read else operation.ignored
            places.append(name)

    def response(self, operation: Operation, parameters: dict[str, str]) -> tuple[int, str]:
        """Resets the account, makes the call, and returns the response without the links that repeat the query."""
        self.start()
        target = self.target(self.root + operation.path)
        collection = target.removesuffix(".json")
        above, _, name = collection.rpartition("/")
        # A filter changes the response only if the list isn't empty.
        if operation.method == "GET" and name in LISTS:
            self.resource(collection)
        elif operation.method == "GET" and above.endswith("/IncomingPhoneNumbers") and name in ("Local", "Mobile", "TollFree"):
            self.emulator.call("POST", target, {"PhoneNumber": self.for_sale(name)})
        status, body = self.emulator.call(operation.method, target, parameters)
        return status, re.sub(r'"(uri|url|\w+_page_ur[il])":"[^"]*"', "", body)


def described(file: str, root: str = "") -> list[Operation]:
    """Reads the operations of an OpenAPI description, without the beginning that their paths have in common."""
    operations = []
    for path, methods in json.loads((API / file).read_text())["paths"].items():
        for method, operation in methods.items():
            if method not in ("get", "post", "delete", "put", "patch"):
                continue
            names = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
            for content in operation.get("requestBody", {}).get("content", {}).values():
                names += content["schema"].get("properties", {})
            operations.append(Operation(method.upper(), path.removeprefix(root), names))
    return operations


def listed(file: str) -> list[Operation]:
    """Reads the operations of a list that has one per line."""
    lines = (line.split() for line in (API / file).read_text().splitlines())
    return [Operation(method, path, names) for method, path, *names in lines]


def coverage() -> str:
    text = """# Coverage

This page lists the operations and parameters of the services' APIs that the emulator serves. `docs/site/reference.py` generates it by
calling each operation that the services describe, with and without each of its parameters. A test fails if the page is out of date.

A parameter without a remark is read: it changes what happens, or a wrong value is refused. One that is *kept* is
stored and returned, and has no other effect. One that is *ignored* is accepted, and changes nothing.

What an operation does, and how we know, is in [Fidelity](fidelity.md). Calls that you can copy are in [Twilio's API](dialects/twilio.md) and
[SignalWire's API](dialects/signalwire.md).
"""
    kept = set()
    with Emulator() as emulator:
        for title, account, root, operations in [
            ("Twilio's Fax API", TWILIO, "", described("twilio_fax_v1.json")),
            ("Twilio's accounts and numbers", TWILIO, "/2010-04-01", described("twilio_api_v2010_subset.json", "/2010-04-01")),
            ("Twilio's alerts", TWILIO, "", described("twilio_monitor_v1_alerts.json")),
            ("SignalWire's compatibility API", SIGNALWIRE, "/api/laml/2010-04-01", listed("signalwire_operations.txt")),
        ]:
            emulator.account = account
            if account == SIGNALWIRE:
                number = {"phone_number": "+15005550006", "voice_receive_mode": "fax"}
                emulator.control("POST", "/accounts", {"sid": account[0], "auth_token": account[1], "numbers": [number]})
            emulator.control("PUT", "/clock", {"mode": "frozen"})
            api = Api(emulator, account, root)
            for operation in operations:
                api.try_out(operation)
            text += section(title, root, operations)
            kept |= {name for operation in operations for name in operation.kept}
    assert kept == KEPT, f"nothing keeps these parameters any more: {KEPT - kept}"
    return text


def section(title: str, root: str, operations: list[Operation]) -> str:
    served = [operation for operation in operations if operation.served]
    text = f"\n## {title}\n\n"
    text += f"{len(served)} of {len(operations)} operations are served.\n\n"
    if root:
        text += f"Each path begins with `{root}`.\n\n"
    text += "| operation | parameters |\n|---|---|\n"
    for operation in served:
        groups = [("", operation.read), ("*kept:* ", operation.kept), ("*ignored:* ", operation.ignored)]
        told = "<br>".join(word + code(names) for word, names in groups if names)
        text += f"| `{operation.method} {operation.path}` | {told} |\n"
    others = [operation for operation in operations if not operation.served]
    if others:
        text += "\nThe others are not served; they get 404 or 405:\n\n"
    for path in dict.fromkeys(group(operation) for operation in others):
        methods = [operation.method for operation in others if group(operation) == path]
        text += f"- `{path}`" + (f": {len(methods)} operations\n" if len(methods) > 1 else f": `{methods[0]}`\n")
    return text


def group(operation: Operation) -> str:
    """Returns the collection under an account that an operation belongs to."""
    found = re.match(r"/Accounts/\{AccountSid\}/\w+", operation.path)
    return found[0] if found else operation.path


def code(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def cli_reference() -> str:
    """Returns the help of each command, as it is printed in a pipe."""
    text = """# Every command and flag

This is what `fauxfax COMMAND --help` prints, and a test compares the page with it (`docs/site/reference.py`). [The command
line](cli.md) has an overview, the exit statuses, and what all commands have in common.
"""
    names = re.findall(r"^  ([a-z-]+) {2,}", help_of("-h"), re.MULTILINE)
    text += f"\n## fauxfax\n\n```text made\n{help_of('-h')}```\n"
    for name in names:
        text += f"\n## fauxfax {name}\n\n```text made\n{help_of(name, '--help')}```\n"
    return text


def help_of(*arguments: str) -> str:
    # Fixed, because the terminal's width and the defaults that are read from the environment would be part of the text.
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "COLUMNS": "100"}
    found = subprocess.run([BINARY, *arguments], env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return found.stdout.strip("\n") + "\n"


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        sys.exit("usage: docs/site/reference.py [--check]")
    differ = False
    for name, made in (("docs/cli-reference.md", cli_reference()), ("docs/coverage.md", coverage())):
        page = ROOT / name
        kept = page.read_text() if page.exists() else ""
        if not arguments:
            page.write_text(made)
        elif made != kept:
            differ = True
            sys.stdout.writelines(difflib.unified_diff(kept.splitlines(True), made.splitlines(True), name, "the program"))
            print(f"{name} doesn't match the program; if the program is right, run python3 docs/site/reference.py")
    return differ


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
