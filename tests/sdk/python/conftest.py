"""Provides one emulator for all tests, and for each test an account, a client of the library and a webhook app."""

import hashlib
import os

import pytest
from twilio.rest import Client

from documents import pdf
from emulator import Emulator
from webhook_app import WebhookApp

# The number that Twilio's own test credentials can always buy.
BUYABLE = "+15005550006"


class Account:
    """An account that no other test uses, so that each test has its own world."""

    def __init__(self, test):
        digest = hashlib.md5(test.encode()).hexdigest()
        self.sid = "AC" + digest
        self.token = digest[::-1]


@pytest.fixture(scope="session")
def emulator(tmp_path_factory):
    if os.environ.get("FAUXFAX_WAY", "base-url") == "base-url":
        emulator = Emulator(os.environ["FAUXFAX_BIN"], tmp_path_factory.mktemp("emulator"))
    else:
        emulator = Emulator.around_the_tests(os.environ["FAUXFAX_URL"])
    yield emulator
    emulator.stop()


@pytest.fixture
def account(request):
    return Account(request.node.nodeid)


def client_of(emulator, username, password, account_sid=None):
    """Creates a client of the library. At most its base URLs are changed, as an app's own tests would do."""
    client = Client(username, password, account_sid)
    if emulator.under_twilios_name:
        return client
    client.api.base_url = client.monitor.base_url = client.lookups.base_url = emulator.url
    if hasattr(client, "fax"):
        client.fax.base_url = emulator.url
    return client


def properties(resource):
    """Returns all properties of a resource. The newest versions of the library keep them in attributes."""
    values = vars(resource)
    return values.get("_properties") or {name: value for name, value in values.items() if name[0] != "_"}


@pytest.fixture
def client(emulator, account):
    return client_of(emulator, account.sid, account.token)


@pytest.fixture
def app(account):
    app = WebhookApp(account.token)
    app.serve("/letter.pdf", pdf(2))
    yield app
    app.stop()


@pytest.fixture
def fax_number(client, app):
    """Buys the account a number that accepts faxes and asks the app at /fax for TwiML."""
    return client.incoming_phone_numbers.create(
        phone_number=BUYABLE, voice_url=app.url + "/fax", voice_receive_mode="fax"
    )
