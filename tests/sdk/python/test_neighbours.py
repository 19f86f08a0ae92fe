"""Tests what apps use besides faxes: messages and look-ups of numbers. All versions of the library have these calls, apart
from those of Lookups v2, which no version with a Fax API has."""

import datetime
import re

import twilio

from conftest import BUYABLE, properties
from test_numbers import refused_with

TO = "+15558675310"
# Of the versions under test, those from 8 on have Lookups v2.
HAS_LOOKUPS_2 = int(twilio.__version__.split(".")[0]) >= 8


def test_a_message_is_created_fetched_listed_redacted_and_deleted(emulator, client, account):
    message = client.messages.create(to=TO, from_=BUYABLE, body="Your fax was sent \U0001f44d")
    assert re.fullmatch("SM[0-9a-f]{32}", message.sid)
    assert (message.status, message.direction, message.account_sid) == ("queued", "outbound-api", account.sid)
    assert (message.to, message.from_, message.body) == (TO, BUYABLE, "Your fax was sent \U0001f44d")
    assert isinstance(message.date_created, datetime.datetime) and message.date_created.tzinfo is not None
    assert (message.error_code, message.num_segments, message.num_media) == (None, "1", "0")
    emulator.settle(account.sid)
    delivered = message.fetch()
    assert (delivered.status, delivered.price, delivered.price_unit) == ("delivered", "-0.00750", "USD")
    assert isinstance(delivered.date_sent, datetime.datetime)
    assert [properties(shown) for shown in client.messages.list()] == [properties(delivered)]
    assert client.messages(message.sid).update(body="").body == ""
    assert client.messages(message.sid).delete() is True
    refused_with(404, 20404, client.messages(message.sid).fetch)


def test_messages_are_listed_over_pages_and_filtered(emulator, client, account):
    made = [client.messages.create(to=TO, from_=BUYABLE, body=str(number)).sid for number in range(5)]
    other = client.messages.create(to="+15558675311", from_="Acme", body="to another number")
    emulator.settle(account.sid)
    assert [shown.sid for shown in client.messages.list(to=TO, page_size=2)] == made[::-1]
    assert [shown.sid for shown in client.messages.list(from_="Acme")] == [other.sid]
    day = datetime.timedelta(days=1)
    today = datetime.datetime.now(datetime.timezone.utc)
    assert len(client.messages.list(date_sent_after=today - day, date_sent_before=today + day)) == 6
    assert client.messages.list(date_sent_after=today + day) == []


def test_each_refusal_has_its_code(client):
    create = client.messages.create
    refused_with(400, 21603, create, to=TO, body="x")
    refused_with(400, 21602, create, to=TO, from_=BUYABLE)
    refused_with(400, 21211, create, to="5558675310", from_=BUYABLE, body="x")
    refused_with(400, 21212, create, to=TO, from_="not a sender!", body="x")
    refused_with(400, 21617, create, to=TO, from_=BUYABLE, body="x" * 1601)


def test_the_app_is_notified_of_each_later_status(emulator, client, account, app):
    app.answers["/message"] = None
    pictures = [app.url + "/a.png", app.url + "/b.png"]
    message = client.messages.create(
        to=TO, from_=BUYABLE, body="x", media_url=pictures, status_callback=app.url + "/message"
    )
    assert message.num_media == "2"
    emulator.settle(account.sid)
    told = app.of("/message")
    assert [each.form["MessageStatus"] for each in told] == ["sent", "delivered"]
    for each in told:
        assert (each.form["MessageSid"], each.form["SmsSid"]) == (message.sid, message.sid)
        assert (each.form["To"], each.form["From"], each.form["AccountSid"]) == (TO, BUYABLE, account.sid)


def test_a_number_is_looked_up(emulator, client):
    found = client.lookups.v1.phone_numbers("+14155550132").fetch()
    assert (found.phone_number, found.country_code, found.national_format) == ("+14155550132", "US", "(415) 555-0132")
    assert (found.carrier, found.caller_name, found.add_ons) == (None, None, None)
    assert found.url == emulator.origin("lookups") + "/v1/PhoneNumbers/+14155550132"
    british = client.lookups.v1.phone_numbers("020 7765 1182").fetch(country_code="GB", type=["carrier"])
    assert (british.phone_number, british.country_code) == ("+442077651182", "GB")
    refused_with(404, 20404, client.lookups.v1.phone_numbers("+1415").fetch)


def test_lookups_v2_says_what_is_wrong_with_a_number(client):
    assert hasattr(client.lookups, "v2") == HAS_LOOKUPS_2
    if HAS_LOOKUPS_2:
        valid = client.lookups.v2.phone_numbers("+14155550132").fetch(fields="caller_name")
        assert (valid.valid, valid.calling_country_code, valid.caller_name) == (True, "1", None)
        invalid = client.lookups.v2.phone_numbers("+141555501320").fetch()
        assert (invalid.valid, invalid.validation_errors, invalid.national_format) == (False, ["TOO_LONG"], None)
