"""Tests sending with SignalWire's library: create, fetch, list, cancel, delete, media, errors, and the callback at the end."""

import datetime
import re
import threading

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException

from conftest import FROM, TO, UUID, Project, client_of, files_origin
from documents import pdf, tiff

FINAL = "delivered,busy,no-answer,failed,canceled"
NOBODYS = "831455c6-574e-4d8b-b6ee-2418140bf4cd"


def is_now(moment):
    """Returns whether a parsed date, which must have a time zone and whole seconds, is less than a minute from now."""
    assert isinstance(moment, datetime.datetime) and moment.tzinfo is not None and moment.microsecond == 0
    return abs((datetime.datetime.now(datetime.timezone.utc) - moment).total_seconds()) < 60


def send(client, app, to=TO, **options):
    options.setdefault("media_url", app.url + "/letter.pdf")
    options.setdefault("from_", FROM)
    return client.fax.faxes.create(to=to, **options)


def ended(emulator, client, fax):
    emulator.wait(client.username, fax.sid, FINAL)
    return client.fax.faxes(fax.sid).fetch()


def refused_with(expected_status, expected_code, call, *arguments, **options):
    with pytest.raises(TwilioRestException) as refused:
        call(*arguments, **options)
    error = refused.value
    assert (error.status, int(error.code)) == (expected_status, expected_code), error.msg
    assert error.msg


def list_refused_with(status, code, call, **options):
    """Checks the error of a list, which the library doesn't parse: it keeps the whole response."""
    with pytest.raises(TwilioException) as refused:
        call(**options)
    response = refused.value.args[1]
    assert response.status_code == status
    assert re.search(r'"code": ?"?%d\b' % code, response.text), response.text


@pytest.fixture
def held(app):
    """Returns the URL of a document that the app serves only when the test calls `app.release` or ends."""
    release = threading.Event()

    def answer(_):
        release.wait(30)
        return pdf(1)

    app.answers["/held.pdf"] = answer
    app.release = release.set
    yield app.url + "/held.pdf"
    release.set()


def test_a_new_fax_is_queued_and_already_has_a_media_sid(client, project, app):
    fax = send(client, app)
    assert re.fullmatch(UUID, fax.sid) and re.fullmatch(UUID, fax.media_sid)
    assert (fax.account_sid, fax.api_version, fax.from_, fax.to) == (project.id, "v1", FROM, TO)
    assert (fax.direction, fax.status, fax.quality) == ("outbound", "queued", "fine")
    assert (fax.media_url, fax.num_pages, fax.price, fax.price_unit, fax.duration) == (None, None, None, "USD", 0)
    assert fax.date_created == fax.date_updated and is_now(fax.date_created)
    assert fax.url == "/api/laml/2010-04-01/Accounts/%s/Faxes/%s" % (project.id, fax.sid)
    assert fax.links == {"media": fax.url + "/Media"}


def test_a_delivered_fax_has_numbers_a_price_and_its_document(emulator, client, app, rest):
    queued = send(client, app)
    fax = ended(emulator, client, queued)
    assert (fax.status, fax.num_pages, fax.price_unit, fax.media_sid) == ("delivered", 2, "USD", queued.media_sid)
    assert type(fax.duration) is int and fax.duration > 0 and fax.price > 0
    assert fax.media_url.startswith(files_origin(emulator) + "/")
    assert fax.date_updated >= fax.date_created
    document = emulator.session.get(fax.media_url)
    assert (document.status_code, document.headers["Content-Type"]) == (200, "application/pdf")
    assert document.content.startswith(b"%PDF-")
    # What the library hides: the JSON types, and two properties that it doesn't know.
    _, shown = rest("GET", "/Faxes/" + fax.sid)
    assert (type(shown["num_pages"]), type(shown["price"]), type(shown["duration"])) == (int, float, int)
    assert shown["error_code"] is None and shown["error_message"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", shown["date_created"])


def test_every_option_of_create_is_accepted(emulator, client, app):
    app.answers["/status"] = None
    fax = send(
        client,
        app,
        to="sip:kate@example.com?hatchkey=4815162342;transport=TCP",
        media_url=app.url + "/letter.pdf?x=1&y=a%20b",
        quality="superfine",
        status_callback=app.url + "/status?a=1&b=x%20y",
        sip_auth_username="us er",
        sip_auth_password="p+w&",
        store_media=False,
        ttl=5,
    )
    assert fax.quality == "superfine"
    fax = ended(emulator, client, fax)
    assert (fax.status, fax.media_url) == ("delivered", None)
    emulator.settle(client.username)
    assert [exchange.query for exchange in app.of("/letter.pdf")] == [{"x": "1", "y": "a b"}]
    assert [exchange.form["FaxStatus"] for exchange in app.of("/status")] == ["delivered"]


@pytest.mark.parametrize("quality", ["standard", "fine", "superfine"])
def test_a_fax_keeps_its_quality(client, app, quality):
    assert send(client, app, quality=quality).quality == quality


def test_only_the_end_of_a_fax_is_notified(emulator, client, project, app):
    app.answers["/status"] = None
    fax = ended(emulator, client, send(client, app, status_callback=app.url + "/status"))
    emulator.settle(client.username)
    told, = app.of("/status")
    form = dict(told.form)
    assert told.method == "POST" and form.pop("RemoteStationId")
    at = datetime.datetime.strptime(form.pop("Timestamp"), "%Y-%m-%dT%H:%M:%SZ")
    assert is_now(at.replace(tzinfo=datetime.timezone.utc))
    assert emulator.session.get(form.pop("MediaUrl")).content.startswith(b"%PDF-")
    assert form == {
        "FaxSid": fax.sid,
        "AccountSid": project.id,
        "From": FROM,
        "To": TO,
        "ApiVersion": "v1",
        "FaxStatus": "delivered",
        "NumPages": "2",
        "MediaSid": fax.media_sid,
        "OriginalMediaUrl": app.url + "/letter.pdf",
    }


OUTCOMES = {
    "+15005550101": "busy",
    "+15005550102": "no-answer",
    "+15005550103": "failed",
    "+15005550104": "failed",
    "+15005550105": "failed",
    "+15005550106": "delivered",
    "+15005550107": "delivered",
}


@pytest.mark.parametrize("to", OUTCOMES)
def test_a_fax_to_a_number_that_behaves_ends_as_documented(emulator, client, app, rest, to):
    app.answers["/status"] = None
    fax = ended(emulator, client, send(client, app, to=to, status_callback=app.url + "/status"))
    assert fax.status == OUTCOMES[to]
    emulator.settle(client.username)
    told, = app.of("/status")
    assert told.form["FaxStatus"] == fax.status
    _, shown = rest("GET", "/Faxes/%s.json" % fax.sid)
    assert told.form.get("ErrorCode") == (shown["error_code"] and str(shown["error_code"]))
    assert told.form.get("ErrorMessage") == shown["error_message"]
    if fax.status == "failed":
        assert shown["error_code"] and shown["error_message"]


def test_a_missing_document_fails_the_fax_before_any_call(emulator, client, app, rest):
    app.answers["/none.pdf"] = ("nothing here", 404)
    fax = ended(emulator, client, send(client, app, media_url=app.url + "/none.pdf"))
    assert (fax.status, fax.media_url, fax.num_pages, fax.price, fax.duration) == ("failed", None, None, None, 0)
    assert rest("GET", "/Faxes/" + fax.sid)[1]["error_message"]


def test_a_document_behind_a_password_and_a_redirect_is_fetched(emulator, client, app):
    app.answers["/moved.pdf"] = ("", 302, {"Location": "/letter.pdf"})
    app.lock("/moved.pdf")
    url = app.url.replace("://", "://user:pass@") + "/moved.pdf"
    assert ended(emulator, client, send(client, app, media_url=url)).status == "delivered"


def test_a_tiff_can_be_sent(emulator, client, app):
    url = app.serve("/letter.tiff", tiff(3), "image/tiff")
    fax = ended(emulator, client, send(client, app, media_url=url))
    assert (fax.status, fax.num_pages) == ("delivered", 3)


def test_a_queued_fax_can_be_canceled(emulator, client, project, app):
    emulator.control("PUT", "/clock", project.id, json={"mode": "frozen"})
    fax = send(client, app)
    assert fax.update(status="canceled").status == "canceled"
    fax = client.fax.faxes(fax.sid).fetch()
    assert (fax.status, fax.num_pages, fax.media_url, fax.price) == ("canceled", None, None, None)


def test_a_fax_in_progress_or_ended_cannot_be_canceled(emulator, client, app, held):
    fax = send(client, app, media_url=held)
    app.await_requests("/held.pdf")
    assert client.fax.faxes(fax.sid).fetch().status == "processing"
    refused_with(422, 10000, fax.update, status="canceled")
    app.release()
    assert ended(emulator, client, fax).status == "delivered"
    refused_with(422, 10000, fax.update, status="canceled")


def test_neither_an_active_fax_nor_its_document_can_be_deleted(client, app, held):
    fax = send(client, app, media_url=held)
    app.await_requests("/held.pdf")
    refused_with(409, 20009, fax.delete)
    refused_with(409, 20009, client.fax.faxes(fax.sid).media(fax.media_sid).delete)


def test_a_deleted_fax_and_its_document_are_gone(emulator, client, app):
    fax = ended(emulator, client, send(client, app))
    assert fax.delete() is True
    for call in (fax.fetch, fax.delete, client.fax.faxes(fax.sid).media(fax.media_sid).fetch):
        refused_with(404, 20404, call)
    list_refused_with(404, 20404, client.fax.faxes(fax.sid).media.list)
    assert client.fax.faxes.list() == []
    assert emulator.session.get(fax.media_url).status_code == 404


def test_the_media_of_a_fax_are_listed_fetched_and_deleted(emulator, client, project, app):
    fax = ended(emulator, client, send(client, app))
    listed, = client.fax.faxes(fax.sid).media.list(page_size=7)
    assert (listed.sid, listed.fax_sid, listed.account_sid) == (fax.media_sid, fax.sid, project.id)
    assert listed.content_type == "application/pdf" and is_now(listed.date_created) and is_now(listed.date_updated)
    media = client.fax.faxes(fax.sid).media(fax.media_sid)
    path = "/api/laml/2010-04-01/Accounts/%s/Faxes/%s/Media/%s.json" % (project.id, fax.sid, fax.media_sid)
    assert media.fetch().url == path
    assert media.delete() is True
    assert client.fax.faxes(fax.sid).media.list() == []
    refused_with(404, 20404, media.fetch)
    refused_with(404, 20404, media.delete)
    kept = client.fax.faxes(fax.sid).fetch()
    assert (kept.status, kept.media_url, kept.num_pages) == ("delivered", None, 2)
    assert emulator.session.get(fax.media_url).status_code == 404


def test_a_media_url_serves_ranges(emulator, client, app):
    fax = ended(emulator, client, send(client, app))
    whole = emulator.session.get(fax.media_url)
    part = emulator.session.get(fax.media_url, headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, whole.content[5:10])
    head = emulator.session.head(fax.media_url)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(whole.content)))


def test_a_list_is_paginated_newest_first(client, app):
    sent = [send(client, app).sid for _ in range(7)]
    newest_first = sent[::-1]
    assert [fax.sid for fax in client.fax.faxes.list()] == newest_first
    assert [fax.sid for fax in client.fax.faxes.list(page_size=2)] == newest_first
    assert [fax.sid for fax in client.fax.faxes.list(page_size=7)] == newest_first
    assert [fax.sid for fax in client.fax.faxes.list(page_size=1000)] == newest_first
    assert [fax.sid for fax in client.fax.faxes.list(limit=5, page_size=2)] == newest_first[:5]
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
    assert [fax.sid for fax in third.previous_page()] == [sent[2], sent[1]]


def test_a_page_has_signalwires_names_and_paths(client, project, app, rest):
    for _ in range(3):
        send(client, app)
    faxes = "/api/laml/2010-04-01/Accounts/%s/Faxes?Page=" % project.id
    _, first = rest("GET", "/Faxes?PageSize=2")
    assert first["uri"] == first["first_page_uri"] == faxes + "0&PageSize=2"
    assert (first["previous_page_uri"], first["page"], first["page_size"]) == (None, 0, 2)
    assert first["next_page_uri"].startswith(faxes + "1&PageSize=2&PageToken=PA")
    _, second = rest("GET", first["next_page_uri"][first["next_page_uri"].index("/Faxes"):])
    assert (second["next_page_uri"], second["page"], len(second["faxes"])) == (None, 1, 1)
    assert second["previous_page_uri"].startswith(faxes + "0&PageSize=2&PageToken=PB")


def test_filters_select_faxes_on_every_page(client, app):
    wanted = [send(client, app, to="+15558675311").sid for _ in range(3)]
    send(client, app)
    other = send(client, app, from_="+15017122662")
    sids = lambda **filters: [fax.sid for fax in client.fax.faxes.list(**filters)]
    assert sids(to="+15558675311", page_size=2) == wanted[::-1]
    assert sids(from_="+15017122662") == [other.sid]
    assert sids(from_="+15017122662", to="+15558675311") == []
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    assert len(sids(date_created_after=now - day, date_created_on_or_before=now + day)) == 5
    assert sids(date_created_after=now + day) == sids(date_created_on_or_before=now - day) == []


BAD_CREATES = {
    "an empty To": (dict(to=""), 21603),
    "a To without a plus": (dict(to="5551234567"), 21211),
    "a From that is no number": (dict(from_="hello"), 21212),
    "an empty MediaUrl": (dict(media_url=""), 10000),
    "a MediaUrl that is no URL": (dict(media_url="letter.pdf"), 21620),
    "a MediaUrl of another scheme": (dict(media_url="ftp://example.com/letter.pdf"), 21620),
    "a StatusCallback that is no URL": (dict(status_callback="status"), 21456),
    "a quality that does not exist": (dict(quality="ultra"), 10000),
    "a Ttl below the range": (dict(ttl=4), 10000),
    "a Ttl above the range": (dict(ttl=301), 10000),
    "a Ttl that is no number": (dict(ttl="soon"), 10000),
    "a StoreMedia that is no boolean": (dict(store_media="perhaps"), 10000),
}


@pytest.mark.parametrize("case", BAD_CREATES)
def test_a_bad_parameter_is_refused(client, app, case):
    changed, code = BAD_CREATES[case]
    refused_with(422, code, send, client, app, **changed)
    assert client.fax.faxes.list() == [], "nothing was created"


def test_a_callbacks_method_and_events_are_checked(app, rest):
    order = {"To": TO, "From": FROM, "MediaUrl": app.url + "/letter.pdf", "StatusCallback": app.url + "/status"}
    for wrong, code in (({"StatusCallbackMethod": "PUT"}, 21209), ({"StatusCallbackEvent": "sent"}, 21626)):
        status, shown = rest("POST", "/Faxes", **order, **wrong)
        assert (status, int(shown["code"]), shown["status"]) == (422, code, 422)
        assert "signalwire.com" in shown["more_info"]


def test_a_page_that_does_not_exist_is_refused(client, app):
    send(client, app)
    list_refused_with(422, 54454, client.fax.faxes.list, page_size=1001)
    list_refused_with(422, 54453, client.fax.faxes.page, page_number=1)


@pytest.mark.parametrize("sid", [NOBODYS, "nonsense"])
def test_a_fax_that_nobody_sent_is_not_found(client, sid):
    fax = client.fax.faxes(sid)
    refused_with(404, 20404, fax.fetch)
    refused_with(404, 20404, fax.update, status="canceled")
    refused_with(404, 20404, fax.delete)
    refused_with(404, 20404, fax.media(NOBODYS).fetch)


def test_a_wrong_token_is_refused(emulator, client, project, app):
    fax = send(client, app)
    stranger = client_of(emulator, project.id, "PT" + "1" * 48)
    refused_with(401, 20003, stranger.fax.faxes(fax.sid).fetch)
    refused_with(401, 20003, send, stranger, app)
    list_refused_with(401, 20003, stranger.fax.faxes.list)


def test_another_project_cannot_see_the_fax(emulator, client, project, app):
    fax = send(client, app)
    other = Project(project.id)
    stranger = client_of(emulator, other.id, other.token)
    assert stranger.fax.faxes.list() == []
    refused_with(404, 20404, stranger.fax.faxes(fax.sid).fetch)
