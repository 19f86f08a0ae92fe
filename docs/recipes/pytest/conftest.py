"""Fixtures: one emulator for all tests, and for each test an account of its own with the app behind it."""

import os
import subprocess
import threading

import pytest
import requests
from werkzeug.serving import make_server

from inbox import create_app

NUMBER = "+15017122661"


class Account:
    """An account of the emulator: a world that no other test sees."""

    def __init__(self, url):
        self.url = url
        account = requests.post(url + "/_fauxfax/v1/accounts", json={}, timeout=10).json()
        self.sid, self.token = account["sid"], account["auth_token"]

    def __call__(self, method, path, expect=None, json=None, **query):
        """Calls the control API for this account."""
        query["account"] = self.sid
        answer = requests.request(method, self.url + "/_fauxfax/v1" + path, params=query, json=json, timeout=30)
        assert answer.status_code == expect if expect else answer.ok, answer.text
        return answer.json() if answer.content else None

    def buy(self, number, voice_url):
        """Buys a number whose faxes go to the app."""
        answer = requests.post(
            "%s/2010-04-01/Accounts/%s/IncomingPhoneNumbers.json" % (self.url, self.sid),
            auth=(self.sid, self.token),
            data={"PhoneNumber": number, "VoiceReceiveMode": "fax", "VoiceUrl": voice_url},
            timeout=10,
        )
        assert answer.ok, answer.text


@pytest.fixture(scope="session")
def emulator():
    """The emulator's address."""
    command = [os.environ.get("FAUXFAX_BIN", "fauxfax"), "serve", "--listen", "127.0.0.1:0", "--seed", "7", "--pace", "max"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    # The emulator prints this line when it is ready: `fauxfax ready http://127.0.0.1:49152 account …`.
    yield process.stdout.readline().split()[2]
    process.terminate()
    assert process.wait(timeout=10) == 0
    process.stdout.close()


@pytest.fixture
def account(emulator):
    return Account(emulator)


@pytest.fixture
def app(account):
    """The app, which is running and receives the faxes of one of the account's numbers."""
    config = {"FAX_API": account.url, "ACCOUNT_SID": account.sid, "AUTH_TOKEN": account.token, "NUMBER": NUMBER}
    app = create_app(config)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    app.config["PUBLIC_URL"] = "http://127.0.0.1:%d" % server.server_port
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    account.buy(NUMBER, app.config["PUBLIC_URL"] + "/fax")
    yield app
    server.shutdown()
    server.server_close()
