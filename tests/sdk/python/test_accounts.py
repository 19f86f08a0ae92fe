"""Tests accounts: fetching, listing and authentication. All versions of the library have these calls."""

import datetime
import os

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException

from conftest import client_of
from emulator import Emulator


def test_an_account_can_fetch_itself(client, account):
    shown = client.api.accounts(account.sid).fetch()
    assert (shown.sid, shown.owner_account_sid, shown.auth_token) == (account.sid, account.sid, account.token)
    assert (shown.status, shown.type) == ("active", "Full")
    assert isinstance(shown.date_created, datetime.datetime) and isinstance(shown.date_updated, datetime.datetime)
    assert shown.uri == "/2010-04-01/Accounts/%s.json" % account.sid
    assert shown.subresource_uris["incoming_phone_numbers"] == (
        "/2010-04-01/Accounts/%s/IncomingPhoneNumbers.json" % account.sid
    )


def test_an_account_lists_itself(client, account):
    assert [shown.sid for shown in client.api.accounts.list(page_size=2)] == [account.sid]
    assert client.api.accounts.list(status="closed") == []


def test_a_wrong_token_is_refused(emulator, client, account):
    # The first write claims the account; a read would not.
    client.api.accounts(account.sid).update(friendly_name="claimed")
    stranger = client_of(emulator, account.sid, "0" * 32)
    with pytest.raises(TwilioRestException) as refused:
        stranger.api.accounts(account.sid).fetch()
    assert (refused.value.status, refused.value.code) == (401, 20003)
    with pytest.raises(TwilioException):
        stranger.incoming_phone_numbers.list()


def test_a_user_name_that_is_not_a_sid_is_refused(emulator, account):
    stranger = client_of(emulator, "somebody", account.token, account.sid)
    with pytest.raises(TwilioRestException) as refused:
        stranger.api.accounts(account.sid).fetch()
    assert (refused.value.status, refused.value.code) == (401, 20003)


def test_a_strict_emulator_accepts_only_known_accounts(tmp_path, account):
    strict = Emulator(os.environ["FAUXFAX_BIN"], tmp_path, "--accounts", "strict")
    try:
        with pytest.raises(TwilioRestException) as refused:
            client_of(strict, account.sid, account.token).api.accounts(account.sid).fetch()
        assert (refused.value.status, refused.value.code) == (401, 20003)
        made = strict.control("POST", "/accounts", expect=201, json={"friendly_name": "Mine"})
        known = client_of(strict, made["sid"], made["auth_token"])
        assert known.api.accounts(made["sid"]).fetch().friendly_name == "Mine"
    finally:
        strict.stop()
