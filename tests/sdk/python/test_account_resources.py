"""Tests an account's resources other than numbers: subaccounts, API keys, caller ids, applications and alerts. All
versions of the library have these calls."""

import datetime
import json
import re
from urllib.parse import parse_qs

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.twiml.fax_response import FaxResponse

from conftest import BUYABLE, client_of, properties
from test_inbound import FROM, receive_twiml
from test_numbers import refused_with


def is_now(moment):
    assert isinstance(moment, datetime.datetime) and moment.tzinfo is not None
    return abs((datetime.datetime.now(datetime.timezone.utc) - moment).total_seconds()) < 60


def test_a_subaccount_is_created_listed_renamed_and_used_by_its_owner(emulator, client, account):
    sub = client.api.accounts.create(friendly_name="Branch office")
    assert re.fullmatch("AC[0-9a-f]{32}", sub.sid) and sub.sid != account.sid
    assert (sub.friendly_name, sub.owner_account_sid, sub.status) == ("Branch office", account.sid, "active")
    assert is_now(sub.date_created) and len(sub.auth_token) == 32
    assert {shown.sid for shown in client.api.accounts.list()} == {account.sid, sub.sid}
    assert [shown.sid for shown in client.api.accounts.list(friendly_name="Branch office")] == [sub.sid]
    assert client.api.accounts(sub.sid).update(friendly_name="Head office").friendly_name == "Head office"
    by_owner = client.api.accounts(sub.sid).incoming_phone_numbers.create(phone_number=BUYABLE)
    assert by_owner.account_sid == sub.sid
    by_itself = client_of(emulator, sub.sid, sub.auth_token)
    assert [number.sid for number in by_itself.incoming_phone_numbers.list()] == [by_owner.sid]
    assert client.incoming_phone_numbers.list() == [], "the owner's list has no number of a subaccount"
    refused_with(401, 20003, by_itself.api.accounts(account.sid).fetch)


def test_a_suspended_subaccount_is_refused_until_it_is_active_again(emulator, client):
    sub = client.api.accounts.create()
    own = client_of(emulator, sub.sid, sub.auth_token)
    assert client.api.accounts(sub.sid).update(status="suspended").status == "suspended"
    assert [shown.sid for shown in client.api.accounts.list(status="suspended")] == [sub.sid]
    refused_with(403, 20005, own.incoming_phone_numbers.create, phone_number=BUYABLE)
    client.api.accounts(sub.sid).update(status="active")
    assert own.incoming_phone_numbers.create(phone_number=BUYABLE).account_sid == sub.sid
    assert client.api.accounts(sub.sid).update(status="closed").status == "closed"
    with pytest.raises(TwilioRestException) as refused:
        client.api.accounts(sub.sid).update(status="asleep")
    assert (refused.value.status, refused.value.code) == (400, 21475)


def test_an_api_keys_secret_is_shown_once_and_authenticates(emulator, client, account):
    key = client.new_keys.create(friendly_name="CI")
    assert re.fullmatch("SK[0-9a-f]{32}", key.sid) and len(key.secret) == 32 and key.friendly_name == "CI"
    assert is_now(key.date_created)
    assert [shown.sid for shown in client.keys.list()] == [key.sid]
    assert "secret" not in properties(client.keys(key.sid).fetch())
    by_key = client_of(emulator, key.sid, key.secret, account.sid)
    number = by_key.incoming_phone_numbers.create(phone_number=BUYABLE)
    assert [shown.sid for shown in client.incoming_phone_numbers.list()] == [number.sid]
    assert client.keys(key.sid).update(friendly_name="Old CI").friendly_name == "Old CI"
    wrong = client_of(emulator, key.sid, "0" * 32, account.sid)
    refused_with(401, 20003, wrong.incoming_phone_numbers(number.sid).fetch)
    assert client.keys(key.sid).delete() is True
    refused_with(401, 20003, by_key.incoming_phone_numbers(number.sid).fetch)
    refused_with(404, 20404, client.keys(key.sid).fetch)


def test_keys_are_paginated(client):
    made = {client.new_keys.create().sid for _ in range(5)}
    assert {key.sid for key in client.keys.list(page_size=2)} == made
    assert len(client.keys.list(limit=3, page_size=2)) == 3


def test_a_caller_id_is_verified_listed_renamed_and_deleted(client, account):
    asked = client.validation_requests.create(phone_number=FROM, friendly_name="Front desk")
    assert (asked.account_sid, asked.phone_number, asked.friendly_name) == (account.sid, FROM, "Front desk")
    assert re.fullmatch(r"\d{6}", str(asked.validation_code)) and asked.call_sid.startswith("CA")
    caller_id, = client.outgoing_caller_ids.list()
    assert re.fullmatch("PN[0-9a-f]{32}", caller_id.sid)
    assert (caller_id.phone_number, caller_id.friendly_name) == (FROM, "Front desk")
    assert is_now(caller_id.date_created)
    assert [shown.sid for shown in client.outgoing_caller_ids.list(phone_number=FROM)] == [caller_id.sid]
    assert client.outgoing_caller_ids.list(friendly_name="Nobody") == []
    assert client.outgoing_caller_ids(caller_id.sid).update(friendly_name="Back office").friendly_name == "Back office"
    assert client.outgoing_caller_ids(caller_id.sid).fetch().friendly_name == "Back office"
    assert client.outgoing_caller_ids(caller_id.sid).delete() is True
    refused_with(404, 20404, client.outgoing_caller_ids(caller_id.sid).fetch)


def test_an_application_is_created_changed_listed_and_deleted(client, account):
    made = client.applications.create(friendly_name="Fax desk", voice_url="http://127.0.0.1:1/fax", voice_method="GET")
    assert re.fullmatch("AP[0-9a-f]{32}", made.sid)
    assert (made.friendly_name, made.voice_url, made.voice_method) == ("Fax desk", "http://127.0.0.1:1/fax", "GET")
    assert (made.account_sid, made.api_version) == (account.sid, "2010-04-01") and is_now(made.date_created)
    assert properties(client.applications(made.sid).fetch()) == properties(made)
    assert client.applications(made.sid).update(friendly_name="Desk").friendly_name == "Desk"
    assert [shown.sid for shown in client.applications.list(friendly_name="Desk")] == [made.sid]
    assert client.applications.list(friendly_name="Fax desk") == []
    assert client.applications(made.sid).delete() is True
    refused_with(404, 20404, client.applications(made.sid).fetch)


def test_a_numbers_application_decides_where_its_webhooks_go(emulator, client, account, app, fax_number):
    application = client.applications.create(
        friendly_name="Fax desk", voice_url=app.url + "/app/fax", status_callback=app.url + "/app/ended"
    )
    fax_number.update(voice_application_sid=application.sid)
    app.answers["/app/fax"] = receive_twiml()
    app.answers["/app/ended"] = None
    assert emulator.receive(account.sid)["outcome"] == "received"
    assert [len(app.of(path)) for path in ("/fax", "/app/fax", "/app/ended")] == [0, 1, 1]


def test_each_failed_webhook_raises_an_alert_with_its_request_and_response(emulator, client, account, app, fax_number):
    app.answers["/fax"] = ("<h1>Oops</h1>", 500, {"Content-Type": "text/html"})
    called = emulator.receive(account.sid)["fax_sid"]
    alert, = client.monitor.alerts.list()
    assert re.fullmatch("NO[0-9a-f]{32}", alert.sid)
    assert (alert.error_code, alert.log_level, alert.resource_sid) == ("11200", "error", called)
    assert (alert.account_sid, alert.request_method, alert.request_url) == (account.sid, "POST", app.url + "/fax")
    assert alert.more_info == "https://www.twilio.com/docs/errors/11200"
    assert is_now(alert.date_created) and is_now(alert.date_generated) and is_now(alert.date_updated)
    assert parse_qs(alert.alert_text)["ErrorCode"] == ["11200"]
    assert alert.url == "%s/v1/Alerts/%s" % (emulator.origin("monitor"), alert.sid)
    whole = client.monitor.alerts(alert.sid).fetch()
    assert parse_qs(whole.request_variables)["FaxSid"] == [called]
    sent = {name.title(): values for name, values in parse_qs(whole.request_headers).items()}
    assert sent["X-Twilio-Signature"] == [app.of("/fax")[0].headers["X-Twilio-Signature"]]
    assert "Oops" in whole.response_body and whole.response_headers
    refused_with(404, 20404, client.monitor.alerts("NO" + "0" * 32).fetch)


def test_alerts_are_filtered_by_level_and_date_and_paginated(emulator, client, account, app, fax_number):
    app.answers["/fax"] = FaxResponse()
    for _ in range(3):
        emulator.receive(account.sid)
    app.answers["/fax"] = receive_twiml(media_type="application/msword")
    emulator.receive(account.sid)
    codes = lambda **filters: [alert.error_code for alert in client.monitor.alerts.list(**filters)]
    assert codes() == codes(page_size=2) == ["12200", "34106", "34106", "34106"]
    assert codes(log_level="warning") == ["12200"]
    assert codes(log_level="error", page_size=1) == ["34106"] * 3
    today = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    assert len(codes(start_date=(today - day).date(), end_date=(today + day).date())) == 4
    assert codes(start_date=today + day) == codes(end_date=today - day) == []


def test_the_debugger_webhook_is_notified_of_each_alert(emulator, account, app):
    made = emulator.control(
        "POST",
        "/accounts",
        expect=201,
        json={
            "sid": account.sid,
            "auth_token": account.token,
            "debugger_url": app.url + "/debugger",
            "numbers": [{"phone_number": BUYABLE, "voice_url": app.url + "/fax", "voice_receive_mode": "fax"}],
        },
    )
    assert made["sid"] == account.sid
    app.answers["/fax"] = ("not found", 404)
    app.answers["/debugger"] = None
    called = emulator.receive(account.sid)["fax_sid"]
    told = app.await_requests("/debugger")[0].form
    assert re.fullmatch("NO[0-9a-f]{32}", told["Sid"])
    assert (told["AccountSid"], told["Level"], told["PayloadType"]) == (account.sid, "ERROR", "application/json")
    payload = json.loads(told["Payload"])
    assert (payload["resource_sid"], payload["error_code"]) == (called, "11200")
    assert payload["webhook"]["request"]["parameters"]["FaxSid"] == called
    assert payload["webhook"]["response"]["status_code"] == 404
