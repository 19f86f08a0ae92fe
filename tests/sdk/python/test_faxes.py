"""Tests sending with the library: create, fetch, list, cancel, delete, and the callbacks to the app."""

import datetime
import re
import threading
from decimal import Decimal

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException

from conftest import Account, client_of
from documents import pdf, tiff

FROM = "+15017122661"
TO = "+15558675310"
FINAL = "delivered,busy,no-answer,failed,canceled"


def is_now(moment):
    """Returns whether a parsed date, which must have a time zone and whole seconds, is less than a minute from now."""
    assert isinstance(moment, datetime.datetime) and moment.tzinfo is not None and moment.microsecond == 0
    return abs((datetime.datetime.now(datetime.timezone.utc) - moment).total_seconds()) < 60


def send(client, app, to=TO, **options):
    options.setdefault("media_url", app.url + "/letter.pdf")
    return client.fax.faxes.create(to=to, from_=FROM, **options)


def ended(emulator, client, fax):
    emulator.wait(client.username, fax.sid, FINAL)
    return client.fax.faxes(fax.sid).fetch()


@pytest.fixture
def held(app):
    """Returns the URL of a document that the app serves only when the test ends."""
    release = threading.Event()

    def answer(_):
        release.wait(30)
        return pdf(1)

    app.answers["/held.pdf"] = answer
    yield app.url + "/held.pdf"
    release.set()


def test_a_new_fax_is_queued_and_has_no_results_yet(emulator, client, account, app):
    fax = send(client, app)
    assert re.fullmatch("FX[0-9a-f]{32}", fax.sid)
    assert (fax.account_sid, fax.api_version) == (account.sid, "v1")
    assert (fax.from_, fax.to) == (FROM, TO)
    assert (fax.direction, fax.status, fax.quality) == ("outbound", "queued", "fine")
    for unknown in ("media_sid", "media_url", "num_pages", "duration", "price", "price_unit"):
        assert getattr(fax, unknown) is None, unknown
    assert fax.date_created == fax.date_updated and is_now(fax.date_created)
    assert fax.url == "%s/v1/Faxes/%s" % (emulator.origin(), fax.sid)
    assert fax.links == {"media": fax.url + "/Media"}


def test_a_delivered_fax_has_pages_a_duration_a_price_and_its_document(emulator, client, app):
    fax = ended(emulator, client, send(client, app))
    assert (fax.status, fax.num_pages) == ("delivered", 2)
    assert type(fax.num_pages) is int and type(fax.duration) is int and fax.duration > 0
    assert fax.price_unit == "USD"
    started_minutes = -(-fax.duration // 60)
    assert isinstance(fax.price, Decimal) and fax.price == Decimal("-0.007") * started_minutes
    assert re.fullmatch("ME[0-9a-f]{32}", fax.media_sid)
    assert fax.media_url.startswith(emulator.origin() + "/")
    assert fax.date_updated >= fax.date_created and is_now(fax.date_updated)
    document = emulator.session.get(fax.media_url)
    assert (document.status_code, document.headers["Content-Type"]) == (200, "application/pdf")
    assert document.content.startswith(b"%PDF-")
    assert len(app.of("/letter.pdf")) == 1, "MediaUrl is fetched once"


def test_every_option_of_create_is_accepted(emulator, client, app):
    app.answers["/status é"] = None
    callback = app.url + "/status%20%C3%A9?a=1&b=x%20y"
    fax = send(
        client,
        app,
        to="sip:kate@example.com?hatchkey=4815162342;transport=TCP",
        media_url=app.url + "/letter.pdf?x=1&y=a%20b",
        quality="superfine",
        status_callback=callback,
        sip_auth_username="us er",
        sip_auth_password="p+w&",
        store_media=False,
        ttl=5,
    )
    assert (fax.quality, fax.to) == ("superfine", "sip:kate@example.com?hatchkey=4815162342;transport=TCP")
    fax = ended(emulator, client, fax)
    assert (fax.status, fax.num_pages) == ("delivered", 2)
    assert (fax.media_sid, fax.media_url) == (None, None), "StoreMedia=False keeps no media"
    emulator.settle(client.username)
    assert [exchange.query for exchange in app.of("/letter.pdf")] == [{"x": "1", "y": "a b"}]
    heard = app.of("/status é")
    assert {exchange.url for exchange in heard} == {callback}
    assert "MediaUrl" not in heard[-1].form
    events = str(emulator.events(client.username))
    assert "p+w&" not in events and "p%2Bw%26" not in events, "no event has the SIP password"


@pytest.mark.parametrize("quality", ["standard", "fine", "superfine"])
def test_a_fax_has_the_requested_quality(client, app, quality):
    assert send(client, app, quality=quality).quality == quality


def test_a_sip_caller_may_be_a_name(client, app):
    fax = client.fax.faxes.create(to="sip:kate@example.com", from_="Jack", media_url=app.url + "/letter.pdf")
    assert fax.from_ == "Jack"


def test_a_tiff_can_be_sent(emulator, client, app):
    url = app.serve("/letter.tiff", tiff(3), "image/tiff")
    fax = ended(emulator, client, send(client, app, media_url=url))
    assert (fax.status, fax.num_pages) == ("delivered", 3)


def test_a_document_behind_a_password_and_a_redirect_is_fetched(emulator, client, app):
    app.answers["/moved.pdf"] = ("", 302, {"Location": "/letter.pdf"})
    app.lock("/moved.pdf")
    url = app.url.replace("://", "://user:pass@") + "/moved.pdf"
    assert ended(emulator, client, send(client, app, media_url=url)).status == "delivered"


def test_each_status_is_notified_in_order_with_what_is_known_by_then(emulator, client, account, app):
    app.answers["/status"] = None
    url = app.url + "/letter.pdf"
    fax = ended(emulator, client, send(client, app, status_callback=app.url + "/status"))
    emulator.settle(client.username)
    told = [exchange.form for exchange in app.of("/status")]
    assert [form["FaxStatus"] for form in told] == ["queued", "processing", "sending", "delivered"]
    assert all(exchange.method == "POST" for exchange in app.of("/status"))
    tokens = [exchange.headers["I-Twilio-Idempotency-Token"] for exchange in app.of("/status")]
    assert len(set(tokens)) == len(tokens)
    for form in told:
        assert form["Status"] == form["FaxStatus"]
        known = ("FaxSid", "AccountSid", "From", "To", "ApiVersion", "OriginalMediaUrl")
        assert [form[name] for name in known] == [fax.sid, account.sid, FROM, TO, "v1", url]
        assert "ErrorCode" not in form and "ErrorMessage" not in form
    assert [form.get("NumPages") for form in told] == [None, None, None, "2"]
    assert told[-1]["RemoteStationId"]
    assert emulator.session.get(told[-1]["MediaUrl"]).content.startswith(b"%PDF-")


OUTCOMES = {
    "+15005550101": ("busy", "34002", None),
    "+15005550102": ("no-answer", "34003", 15),
    "+15005550103": ("failed", "34004", int),
    "+15005550104": ("failed", "34004", int),
    "+15005550105": ("failed", "34108", int),
    "+15005550106": ("delivered", None, int),
    "+15005550107": ("delivered", None, int),
}


@pytest.mark.parametrize("to", OUTCOMES)
def test_a_fax_to_a_number_that_behaves_ends_as_documented(emulator, client, app, to):
    status, code, duration = OUTCOMES[to]
    app.answers["/status"] = None
    fax = ended(emulator, client, send(client, app, to=to, status_callback=app.url + "/status"))
    assert (fax.status, fax.num_pages) == (status, 2), "all pages of the document count, sent or not"
    assert type(fax.duration) is int if duration is int else fax.duration == duration
    assert (fax.price is None) == (fax.price_unit is None) == (status != "delivered")
    emulator.settle(client.username)
    told = app.of("/status")[-1].form
    assert (told["FaxStatus"], told.get("ErrorCode")) == (status, code)
    assert ("ErrorMessage" in told) == (code is not None)
    assert told.get("NumPages") == ("2" if status == "delivered" else None)


def test_a_missing_document_fails_the_fax_with_a_reason(emulator, client, app):
    app.answers["/status"] = None
    app.answers["/none.pdf"] = ("nothing here", 404)
    fax = send(client, app, media_url=app.url + "/none.pdf", status_callback=app.url + "/status")
    fax = ended(emulator, client, fax)
    assert (fax.status, fax.num_pages, fax.media_sid) == ("failed", None, None)
    emulator.settle(client.username)
    told = app.of("/status")[-1].form
    assert (told["FaxStatus"], told["ErrorCode"]) == ("failed", "11200")
    assert "404" in told["ErrorMessage"]


def test_a_fax_whose_document_is_being_fetched_can_be_canceled(emulator, client, app, held):
    app.answers["/status"] = None
    fax = send(client, app, media_url=held, status_callback=app.url + "/status")
    app.await_requests("/held.pdf")
    assert client.fax.faxes(fax.sid).fetch().status == "processing"
    assert fax.update(status="canceled").status == "canceled"
    fax = client.fax.faxes(fax.sid).fetch()
    assert (fax.status, fax.num_pages, fax.media_sid, fax.price) == ("canceled", None, None, None)
    told = app.await_requests("/status", 3)
    assert [exchange.form["FaxStatus"] for exchange in told] == ["queued", "processing", "canceled"]


def test_an_update_without_a_status_changes_nothing(client, app, held):
    fax = send(client, app, media_url=held)
    app.await_requests("/held.pdf")
    updated = client.fax.faxes(fax.sid).update()
    assert (updated.sid, updated.status) == (fax.sid, "processing")


def test_a_delivered_fax_can_no_longer_be_canceled(emulator, client, app):
    fax = ended(emulator, client, send(client, app))
    with pytest.raises(TwilioRestException) as refused:
        fax.update(status="canceled")
    assert (refused.value.status, refused.value.code) == (409, 20409)
    assert client.fax.faxes(fax.sid).fetch().status == "delivered"


def test_a_deleted_fax_and_its_document_are_gone(emulator, client, app):
    fax = ended(emulator, client, send(client, app))
    assert fax.delete() is True
    path = "/v1/Faxes/" + fax.sid
    for call in (fax.fetch, fax.delete, fax.update, client.fax.faxes(fax.sid).media(fax.media_sid).fetch):
        with pytest.raises(TwilioRestException) as refused:
            call()
        assert (refused.value.status, refused.value.code) == (404, 20404)
        assert "The requested resource " + path in refused.value.msg and "was not found" in refused.value.msg
    with pytest.raises(TwilioException):
        client.fax.faxes(fax.sid).media.list()
    assert client.fax.faxes.list() == []
    assert emulator.session.get(fax.media_url).status_code == 404


def test_an_active_fax_cannot_be_deleted(client, app, held):
    fax = send(client, app, media_url=held)
    app.await_requests("/held.pdf")
    with pytest.raises(TwilioRestException) as refused:
        fax.delete()
    assert (refused.value.status, refused.value.code) == (409, 20009)


def test_a_list_is_paginated_newest_first(emulator, client, account, app):
    sent = [send(client, app).sid for _ in range(7)]
    newest_first = sent[::-1]
    assert [fax.sid for fax in client.fax.faxes.list()] == newest_first
    assert [fax.sid for fax in client.fax.faxes.list(page_size=2)] == newest_first
    assert [fax.sid for fax in client.fax.faxes.list(page_size=7)] == newest_first
    assert [fax.sid for fax in client.fax.faxes.list(limit=5, page_size=2)] == newest_first[:5]
    assert [fax.sid for fax in client.fax.faxes.list(limit=5000)] == newest_first
    assert [fax.sid for fax in client.fax.faxes.stream(limit=3)] == newest_first[:3]


def test_pages_link_forwards_and_backwards_and_new_faxes_do_not_shift_them(client, app):
    sent = [send(client, app).sid for _ in range(5)]
    first = client.fax.faxes.page(page_size=2)
    assert [fax.sid for fax in first] == [sent[4], sent[3]]
    assert first.previous_page() is None and first.previous_page_url is None
    send(client, app)
    second = first.next_page()
    assert [fax.sid for fax in second] == [sent[2], sent[1]]
    again = client.fax.faxes.get_page(first.next_page_url)
    assert [fax.sid for fax in again] == [sent[2], sent[1]]
    third = second.next_page()
    assert [fax.sid for fax in third] == [sent[0]]
    assert third.next_page() is None and third.next_page_url is None
    back = third.previous_page()
    assert [fax.sid for fax in back] == [sent[2], sent[1]]


def test_filters_select_faxes_on_every_page(client, app):
    wanted = [send(client, app, to="+15558675311").sid for _ in range(3)]
    send(client, app)
    other = client.fax.faxes.create(to=TO, from_="+15017122662", media_url=app.url + "/letter.pdf")
    sids = lambda **filters: [fax.sid for fax in client.fax.faxes.list(**filters)]
    assert sids(to="+15558675311", page_size=2) == wanted[::-1]
    assert sids(from_="+15017122662") == [other.sid]
    assert sids(from_="+15017122662", to="+15558675311") == []
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    assert len(sids(date_created_after=now - day, date_created_on_or_before=now + day)) == 5
    assert sids(date_created_after=now + day) == sids(date_created_on_or_before=now - day) == []
    assert sids(date_created_after=other.date_created + datetime.timedelta(seconds=60)) == []
    assert len(sids(date_created_after="2020-01-02")) == 5
    assert len(sids(date_created_on_or_before=(now + day).date())) == 5


def test_dates_compare_by_whole_seconds(emulator, client, account, app):
    emulator.control("PUT", "/clock", account.sid, json={"mode": "frozen"})
    first = send(client, app)
    emulator.control("POST", "/clock/advance", account.sid, json={"seconds": 10})
    second = send(client, app)
    after = client.fax.faxes.list(date_created_after=first.date_created)
    until = client.fax.faxes.list(date_created_on_or_before=first.date_created)
    assert ([fax.sid for fax in after], [fax.sid for fax in until]) == ([second.sid], [first.sid])


BAD_CREATES = {
    "an empty To": (dict(to=""), 21201, "To"),
    "a To without a plus": (dict(to="5551234567"), 21211, "5551234567"),
    "a To that Twilio refuses": (dict(to="+15005550001"), 21211, "+15005550001"),
    "a From that is no number": (dict(from_="hello"), 21212, "From"),
    "a From that Twilio refuses": (dict(from_="+15005550001"), 21212, "+15005550001"),
    "an empty MediaUrl": (dict(media_url=""), 20001, "MediaUrl"),
    "a MediaUrl that is no URL": (dict(media_url="letter.pdf"), 21620, "MediaUrl"),
    "a StatusCallback that is no URL": (dict(status_callback="status"), 21609, "StatusCallback"),
    "a quality that does not exist": (dict(quality="ultra"), 20422, "Quality"),
    "a Ttl of zero": (dict(ttl=0), 20422, "Ttl"),
    "a Ttl that is no number": (dict(ttl="soon"), 20422, "Ttl"),
    "a StoreMedia that is no boolean": (dict(store_media="perhaps"), 20422, "StoreMedia"),
    "a SIP user without a password": (dict(to="sip:a@example.com", sip_auth_username="u"), 21225, "SipAuth"),
    "a SIP user that is too long": (
        dict(to="sip:a@example.com", sip_auth_username="u" * 256, sip_auth_password="p"), 21221, "SipAuth"
    ),
}


@pytest.mark.parametrize("case", BAD_CREATES)
def test_a_bad_parameter_is_refused_by_name(client, app, case):
    changed, code, named = BAD_CREATES[case]
    good = dict(to=TO, from_=FROM, media_url=app.url + "/letter.pdf")
    with pytest.raises(TwilioRestException) as refused:
        client.fax.faxes.create(**{**good, **changed})
    error = refused.value
    assert (error.status, error.code, error.method) == (400, code, "POST")
    assert named in error.msg, error.msg
    assert client.fax.faxes.list() == [], "no fax was created"


def test_a_status_that_no_update_may_set_is_refused(client, app, held):
    fax = send(client, app, media_url=held)
    with pytest.raises(TwilioRestException) as refused:
        fax.update(status="delivered")
    assert (refused.value.status, refused.value.code) == (400, 20422)


@pytest.mark.parametrize("sid", ["FX" + "0" * 32, "FX123", "nonsense"])
def test_an_unknown_fax_is_not_found(client, sid):
    with pytest.raises(TwilioRestException) as refused:
        client.fax.faxes(sid).fetch()
    assert (refused.value.status, refused.value.code) == (404, 20404)


def test_a_wrong_token_is_refused(emulator, client, account, app):
    fax = send(client, app)
    stranger = client_of(emulator, account.sid, "0" * 32)
    with pytest.raises(TwilioRestException) as refused:
        stranger.fax.faxes(fax.sid).fetch()
    assert (refused.value.status, refused.value.code) == (401, 20003)


def test_another_account_cannot_see_the_fax(emulator, client, account, app):
    fax = send(client, app)
    other = Account(account.sid)
    stranger = client_of(emulator, other.sid, other.token)
    assert stranger.fax.faxes.list() == []
    for call in (stranger.fax.faxes(fax.sid).fetch, stranger.fax.faxes(fax.sid).delete):
        with pytest.raises(TwilioRestException) as refused:
            call()
        assert (refused.value.status, refused.value.code) == (404, 20404)
