"""Fixtures: the emulator that `fauxfax exec` has started, and the example app, a process in the same environment."""

import os
import pathlib
import socket
import subprocess
import sys
import threading

import pytest
import requests
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from page import Page

FOLDER = pathlib.Path(__file__).resolve().parents[4] / "examples/inbox-python"
NUMBER = "+15005550006"
BLOCKED = "+15558675399"
PATIENCE_S = 20
# How many free ports are tried, because another process may take one before the app does.
PORTS_MAX = 5


class App:
    """The example app, which runs under flask as its README says."""

    # Set by tests in which the app is expected to log an exception.
    may_fail = False

    def __init__(self, folder, **settings):
        self.log = []
        self.settings = {"INBOX_DB": str(folder / "inbox.db"), "BLOCKED_NUMBERS": "+15558675398," + BLOCKED, **settings}
        for _ in range(PORTS_MAX):
            if self.starts():
                return
        raise AssertionError("the app did not start:\n" + "".join(self.log))

    def starts(self):
        """Starts the app on a free port, and returns whether it serves there."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = "http://127.0.0.1:%d" % port
        environment = {**os.environ, "FAX_NUMBER": NUMBER, "PUBLIC_URL": self.url, **self.settings}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "inbox", "run", "--port", str(port)],
            cwd=FOLDER, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        self.is_serving = False
        started = threading.Event()
        self.reader = threading.Thread(target=self.read_log, args=(started,))
        self.reader.start()
        assert started.wait(PATIENCE_S), "the app neither serves nor ends:\n" + "".join(self.log)
        return self.is_serving

    def read_log(self, started):
        for line in self.process.stderr:
            self.log.append(line)
            if "Running on" in line:
                self.is_serving = True
                started.set()
        started.set()

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.reader.join()
        self.process.stderr.close()
        assert self.may_fail or not any("Traceback" in line for line in self.log), "".join(self.log)

    def page(self):
        return Page(requests.get(self.url, timeout=PATIENCE_S))

    def incoming(self):
        return self.page().tables["Incoming"]

    def outgoing(self):
        return self.page().tables["Outgoing"]

    def send(self, document=None, **fields):
        """Submits the form; a document is a file name and its content."""
        files = {"document": document or ("", b"")}
        return Page(requests.post(self.url, data=fields, files=files, timeout=PATIENCE_S))

    def document(self, row):
        response = requests.get(self.url + row["link"], timeout=PATIENCE_S)
        assert (response.status_code, response.headers["Content-Type"]) == (200, "application/pdf"), response.text
        return response.content

    def webhook(self, path, form, token=None, scheme="http", **headers):
        """Makes a request as Twilio would, signed with a token if one is given."""
        if token is not None:
            url = self.url.replace("http", scheme, 1) + path
            headers["X-Twilio-Signature"] = RequestValidator(token).compute_signature(url, form)
        return requests.post(self.url + path, data=form, headers=headers, timeout=PATIENCE_S)

    def fetch(self, url, token):
        """Downloads a document as Twilio would, with a request signed with this token."""
        signature = RequestValidator(token).compute_signature(url, {})
        return requests.get(url, headers={"X-Twilio-Signature": signature}, timeout=PATIENCE_S)


class Emulator:
    """The control API, for the account that `fauxfax exec` made."""

    def __init__(self):
        self.url = os.environ["FAUXFAX_URL"]
        self.sid, self.token = os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"]
        self.client = Client()

    def call(self, method, path, json=None, **query):
        response = requests.request(
            method, self.url + "/_fauxfax/v1" + path, params=query, json=json, timeout=PATIENCE_S + 10
        )
        assert response.ok, response.text
        return response.json() if response.content else None

    def receive(self, **fields):
        """Makes a fax machine call the app's number, and returns the conversation once it has ended."""
        return self.call("POST", "/incoming-faxes", json=fields, wait="true", timeout=PATIENCE_S)

    def rule(self, **rule):
        self.call("POST", "/rules", json=rule)

    def wait_until_idle(self):
        self.call("GET", "/wait", timeout=PATIENCE_S, **{"for": "idle"})

    def statuses_notified(self):
        """Lists the statuses of outgoing faxes that the app was notified of, each with the status of the app's response."""
        attempts = self.call("GET", "/events", kind="webhook.attempt")["events"]
        return [
            (attempt["data"]["params"]["FaxStatus"], attempt["data"]["status"])
            for attempt in attempts
            if attempt["data"]["purpose"] == "status-callback"
        ]

    def document(self, sid):
        """Downloads a fax's document from the emulator."""
        return requests.get(self.client.fax.faxes(sid).fetch().media_url, timeout=PATIENCE_S).content

    def sample(self, name):
        return requests.get(self.sample_url(name), timeout=PATIENCE_S).content

    def sample_url(self, name):
        return "%s/_fauxfax/v1/samples/%s" % (self.url, name)


@pytest.fixture
def emulator():
    emulator = Emulator()
    emulator.call("POST", "/reset")
    emulator.call("PUT", "/clock", json={"mode": "running"})
    return emulator


@pytest.fixture
def start(tmp_path, emulator):
    """Starts the app with further settings, and sets the number's VoiceUrl to the app's URL."""
    apps = []

    def start(**settings):
        app = App(tmp_path, **settings)
        apps.append(app)
        number, = emulator.client.incoming_phone_numbers.list(phone_number=NUMBER)
        number.update(voice_url=app.url + "/fax", voice_receive_mode="fax")
        return app

    yield start
    for app in apps:
        app.stop()


@pytest.fixture
def app(start):
    return start()
