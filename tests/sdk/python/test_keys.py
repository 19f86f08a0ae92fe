"""Tests faxes that are sent with an API key or by a subaccount: the account's AuthToken signs their webhooks. Also tests
accounts whose fax service is retired or limited to test credentials."""

import pytest
from twilio.base.exceptions import TwilioRestException

from conftest import client_of


def test_a_fax_is_sent_with_an_api_key_and_signed_with_the_auth_token(emulator, client, account, app):
    key = client.new_keys.create()
    by_key = client_of(emulator, key.sid, key.secret, account.sid)
    app.answers["/status"] = None
    fax = by_key.fax.faxes.create(
        to="+15558675310", from_="+15017122661", media_url=app.url + "/letter.pdf", status_callback=app.url + "/status"
    )
    assert fax.account_sid == account.sid
    emulator.wait(account.sid, fax.sid, "delivered")
    emulator.settle(account.sid)
    assert [shown.sid for shown in client.fax.faxes.list()] == [shown.sid for shown in by_key.fax.faxes.list()]
    # When the app stops, it checks each request's signature with the account's AuthToken.
    assert len(app.of("/status")) == 4


def test_a_subaccounts_faxes_are_its_own(emulator, client, app):
    sub = client.api.accounts.create()
    own = client_of(emulator, sub.sid, sub.auth_token)
    app.token = sub.auth_token
    fax = own.fax.faxes.create(to="+15558675310", from_="+15017122661", media_url=app.url + "/letter.pdf")
    assert fax.account_sid == sub.sid
    emulator.wait(sub.sid, fax.sid, "delivered")
    assert client.fax.faxes.list() == [] and len(own.fax.faxes.list()) == 1


@pytest.mark.parametrize("service, code", [("retired", 34005), ("test-credentials", 20008)])
def test_an_account_without_the_service_is_refused_as_twilio_does(emulator, app, service, code):
    made = emulator.control("POST", "/accounts", expect=201, json={"service": service})
    client = client_of(emulator, made["sid"], made["auth_token"])
    for call in (
        lambda: client.fax.faxes.create(to="+15558675310", media_url=app.url + "/letter.pdf"),
        client.fax.faxes("FX" + "0" * 32).fetch,
        client.fax.faxes("FX" + "0" * 32).delete,
    ):
        with pytest.raises(TwilioRestException) as refused:
            call()
        assert (refused.value.status, refused.value.code) == (403, code)
    assert client.incoming_phone_numbers.create(phone_number="+15005550006").sid.startswith("PN")
