"""Provides one emulator for all tests, and for each test a project, a client of the library and a webhook app.
FAUXFAX_WAY says how the client reaches the emulator: by its base URL, by its environment (proxy, exec), or by https with the
emulator's address as its space."""

import hashlib
import os

import pytest
from signalwire.request_validator import RequestValidator
from signalwire.rest import Client

import webhook_app
from documents import pdf
from emulator import Emulator

WAY = os.environ.get("FAUXFAX_WAY", "base-url")
FROM = "+15017122661"
TO = "+15558675310"
# The number that the project of each test buys.
NUMBER = "+15005550006"
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


class WebhookApp(webhook_app.WebhookApp):
    validator = RequestValidator
    signature_header = "X-SignalWire-Signature"
    user_agent = "SignalwireCallback/1.0"
    # No recording shows that SignalWire signs the fetch of a document.
    signs_documents = False


class Project:
    """A project that no other test uses, so that each test has its own world."""

    def __init__(self, test):
        digest = hashlib.md5(test.encode()).hexdigest()
        self.id = "%s-%s-4%s-8%s-%s" % (digest[:8], digest[8:12], digest[13:16], digest[17:20], digest[20:])
        self.token = "PT" + digest + digest[:16]


@pytest.fixture(scope="session")
def emulator(tmp_path_factory):
    if WAY == "base-url":
        folder = tmp_path_factory.mktemp("emulator")
        emulator = Emulator(os.environ["FAUXFAX_BIN"], folder, "--dialect", "signalwire")
    else:
        emulator = Emulator.around_the_tests(os.environ["FAUXFAX_URL"])
    if WAY == "space":
        # A CA that the environment names would take precedence over the one set here.
        emulator.session.trust_env = False
        emulator.session.verify = os.environ["LOCAL_CA"]
    yield emulator
    emulator.stop()


def files_origin(emulator):
    """Returns the scheme and host of the media URLs that clients get."""
    if WAY == "base-url":
        return emulator.url
    return "https://%s" % os.environ["SIGNALWIRE_SPACE_URL"] if WAY == "space" else "https://files.signalwire.com"


@pytest.fixture
def project(request):
    return Project(request.node.nodeid)


def client_of(emulator, project, token):
    """Creates a client of the library. At most its base URLs or its trusted CA are changed, as an app's own tests would do."""
    if WAY == "space":
        # Without a scheme, the library would take the port for the host.
        client = Client(project, token, signalwire_space_url="https://" + os.environ["SIGNALWIRE_SPACE_URL"])
        client.http_client.session.verify = os.environ["LOCAL_CA"]
        return client
    client = Client(project, token, signalwire_space_url="example.signalwire.com")
    if WAY == "base-url":
        client.fax.base_url = client.api.base_url = emulator.url
    return client


@pytest.fixture
def client(emulator, project):
    return client_of(emulator, project.id, project.token)


@pytest.fixture
def rest(emulator, project):
    def rest(method, path, **form):
        """Calls the REST API without the library, for parameters and properties that the library doesn't know."""
        url = "%s/api/laml/2010-04-01/Accounts/%s%s" % (emulator.url, project.id, path)
        response = emulator.session.request(method, url, auth=(project.id, project.token), data=form or None, timeout=30)
        return response.status_code, response.json() if response.content else None

    return rest


@pytest.fixture
def app(project):
    app = WebhookApp(project.token)
    app.serve("/letter.pdf", pdf(2))
    yield app
    app.stop()


@pytest.fixture
def fax_number(client, app):
    """Buys the project a number that accepts faxes and asks the app at /fax for cXML."""
    return client.incoming_phone_numbers.create(
        phone_number=NUMBER, voice_url=app.url + "/fax", voice_receive_mode="fax"
    )
