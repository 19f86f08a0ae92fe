"""Tests a client that is configured only by the environment, as `fauxfax exec` and `fauxfax env` set it."""

import os

import pytest
import requests
from signalwire.rest import Client

from conftest import WAY


@pytest.mark.skipif(WAY not in ("exec", "proxy"), reason="the environment does not lead to the emulator")
def test_a_client_configured_only_by_the_environment_sends_a_fax():
    emulator = os.environ["FAUXFAX_URL"]
    client = Client(os.environ["SIGNALWIRE_PROJECT_ID"], os.environ["SIGNALWIRE_API_TOKEN"])
    assert client.fax.base_url.startswith("https://") and client.fax.base_url.endswith(".signalwire.com")
    number, = client.incoming_phone_numbers.list(phone_number="+15005550006")
    sample = emulator + "/_fauxfax/v1/samples/one-page.pdf"
    sent = client.fax.faxes.create(to="+15558675310", from_=number.phone_number, media_url=sample)
    wait = {"fax": sent.sid, "status": "delivered", "timeout": 20}
    requests.get(emulator + "/_fauxfax/v1/wait", params=wait, timeout=30).raise_for_status()
    assert requests.get(sent.fetch().media_url, timeout=30).content.startswith(b"%PDF-")
