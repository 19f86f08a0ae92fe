"""Tests receiving with a Flask app whose cXML the library builds: each attribute of <Receive>, <Reject/>, and failures."""

import re

import pytest
from signalwire.fax_response import FaxResponse

from conftest import NUMBER, TO, UUID, files_origin
from documents import pdf, tiff


@pytest.fixture
def receive(emulator, project, fax_number):
    def receive(**fields):
        """Makes a fax machine call the project's number."""
        return emulator.receive(project.id, to=NUMBER, **fields)

    return receive


def receive_xml(**attributes):
    response = FaxResponse()
    response.receive(**attributes)
    return response


def executed(conversation):
    """Returns the verb and its attributes as the emulator has read them."""
    return next(event["data"] for event in conversation["events"] if event["kind"] == "twiml.executed")


def purposes(conversation):
    return [webhook["purpose"] for webhook in conversation["webhooks"]]


def test_an_app_is_asked_for_cxml_and_notified_of_the_fax(emulator, client, project, app, receive):
    app.answers["/fax"] = receive_xml(action="/fax/received?tenant=7")
    app.answers["/fax/received"] = None
    conversation = receive(pages=3, station_id="EXAMPLE INC")
    assert conversation["outcome"] == "received"
    sid = conversation["fax"]["sid"]
    common = {"FaxSid": sid, "AccountSid": project.id, "From": TO, "To": NUMBER, "ApiVersion": "v1"}
    asked, = app.of("/fax")
    assert (asked.method, asked.form) == ("POST", common)
    assert asked.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    told, = app.of("/fax/received")
    form = dict(told.form)
    media_sid, media_url, at = form.pop("MediaSid"), form.pop("MediaUrl"), form.pop("Timestamp")
    assert form == {**common, "RemoteStationId": "EXAMPLE INC", "FaxStatus": "received", "NumPages": "3"}
    assert re.fullmatch(UUID, media_sid) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", at)
    stored = emulator.session.get(media_url)
    assert (stored.status_code, stored.headers["Content-Type"]) == (200, "application/pdf")
    assert stored.content.startswith(b"%PDF-")
    fax, = client.fax.faxes.list(to=NUMBER)
    assert (fax.sid, fax.direction, fax.status, fax.num_pages) == (sid, "inbound", "received", 3)
    assert fax.media_url.startswith(files_origin(emulator) + "/")
    assert [media.sid for media in fax.media.list()] == [fax.media_sid] == [media_sid]


def test_receive_without_attributes_stores_the_fax_and_notifies_nobody(client, app, receive):
    app.answers["/fax"] = receive_xml()
    conversation = receive()
    assert (conversation["outcome"], purposes(conversation)) == ("received", ["fax-url"])
    read = executed(conversation)
    assert (read["action"], read["method"], read["mediaType"], read["pageSize"]) == (
        None, "POST", "application/pdf", "letter"
    )


@pytest.mark.parametrize("action", ["/a/received", "received?x=1&y=a%20b", "../received", "absolute"])
def test_an_action_may_be_absolute_or_relative(app, fax_number, receive, action):
    fax_number.update(voice_url=app.url + "/a/b/fax?key=1")
    places = {
        "/a/received": "/a/received",
        "received?x=1&y=a%20b": "/a/b/received",
        "../received": "/a/received",
        "absolute": "/elsewhere",
    }
    app.answers["/a/b/fax"] = receive_xml(action=app.url + "/elsewhere" if action == "absolute" else action)
    app.answers[places[action]] = None
    assert receive()["outcome"] == "received"
    told, = app.of(places[action])
    assert told.form["FaxStatus"] == "received"
    assert told.query == ({"x": "1", "y": "a b"} if "?" in action else {})


def test_an_action_by_get_has_its_parameters_in_the_query(app, receive):
    app.answers["/fax"] = receive_xml(action="/received?key=a%26b", method="GET")
    app.answers["/received"] = None
    receive()
    told, = app.of("/received")
    assert (told.method, told.body) == ("GET", b"")
    assert (told.query["key"], told.query["FaxStatus"], told.query["To"]) == ("a&b", "received", NUMBER)
    assert "+" not in told.url, "a plus in a query reads as a space to some frameworks"


def test_an_app_may_be_asked_by_get(project, app, fax_number, receive):
    fax_number.update(voice_method="GET", voice_url=app.url + "/fax?tenant=7")
    app.answers["/fax"] = receive_xml()
    sid = receive()["fax"]["sid"]
    asked, = app.of("/fax")
    expected = {"FaxSid": sid, "AccountSid": project.id, "From": TO, "To": NUMBER, "ApiVersion": "v1"}
    assert (asked.method, asked.query) == ("GET", {"tenant": "7", **expected})


def test_a_fax_can_be_stored_as_tiff(emulator, app, receive):
    app.answers["/fax"] = receive_xml(action="/received", media_type="image/tiff", page_size="a4")
    app.answers["/received"] = None
    conversation = receive(file=("in.tiff", tiff(2), "image/tiff"))
    assert (executed(conversation)["mediaType"], executed(conversation)["pageSize"]) == ("image/tiff", "a4")
    told, = app.of("/received")
    stored = emulator.session.get(told.form["MediaUrl"])
    assert (told.form["NumPages"], stored.headers["Content-Type"]) == ("2", "image/tiff")
    assert stored.content[:4] in (b"II*\x00", b"MM\x00*")


@pytest.mark.parametrize("size", ["letter", "legal", "a4"])
def test_each_page_size_is_accepted(app, receive, size):
    app.answers["/fax"] = receive_xml(page_size=size)
    conversation = receive()
    assert executed(conversation)["pageSize"] == size
    assert "alert" not in [event["kind"] for event in conversation["events"]]


@pytest.mark.parametrize("store_media", [True, False])
def test_store_media_which_only_the_library_knows_does_no_harm(app, receive, store_media):
    app.answers["/fax"] = receive_xml(action="/received", store_media=store_media)
    app.answers["/received"] = None
    assert receive(file=("in.pdf", pdf(2), "application/pdf"))["outcome"] == "received"
    told, = app.of("/received")
    assert (told.form["FaxStatus"], told.form["NumPages"]) == ("received", "2")


def test_a_rejected_fax_is_canceled(client, app, receive):
    response = FaxResponse()
    response.reject()
    app.answers["/fax"] = response
    conversation = receive()
    assert (conversation["outcome"], purposes(conversation)) == ("rejected", ["fax-url"])
    fax = client.fax.faxes(conversation["fax"]["sid"]).fetch()
    assert (fax.direction, fax.status, fax.media_url, fax.num_pages) == ("inbound", "canceled", None, None)


def test_the_fallback_is_asked_when_the_app_fails(app, fax_number, receive):
    fax_number.update(voice_fallback_url=app.url + "/fallback")
    app.answers["/fax"] = ("broken", 500)
    app.answers["/fallback"] = receive_xml()
    conversation = receive()
    assert (conversation["outcome"], purposes(conversation)) == ("received", ["fax-url", "fallback-url"])


def test_a_redirect_is_followed_and_signed_for_its_target(app, receive):
    app.answers["/fax"] = ("", 307, {"Location": "/moved/fax"})
    app.answers["/moved/fax"] = receive_xml(action="received")
    app.answers["/moved/received"] = None
    assert receive()["outcome"] == "received"
    assert [len(app.of(path)) for path in ("/fax", "/moved/fax", "/moved/received")] == [1, 1, 1]


def test_a_broken_transmission_fails_the_fax_and_the_app_is_notified_of_the_reason(app, rest, receive):
    app.answers["/fax"] = receive_xml(action="/received")
    app.answers["/received"] = None
    conversation = receive(pages=3, outcome={"status": "failed", "code": 34004, "after_pages": 1})
    assert conversation["outcome"] == "failed"
    told, = app.of("/received")
    assert (told.form["FaxStatus"], told.form["ErrorCode"]) == ("failed", "34004")
    _, shown = rest("GET", "/Faxes/" + conversation["fax"]["sid"])
    assert (shown["status"], str(shown["error_code"])) == ("failed", "34004")
    assert shown["error_message"] == told.form["ErrorMessage"]


def test_a_fax_to_a_number_of_the_project_rings_there(emulator, client, project, app, fax_number):
    app.answers["/fax"] = receive_xml(action="/received")
    app.answers["/received"] = app.answers["/status"] = None
    sent = client.fax.faxes.create(
        to=NUMBER, from_=NUMBER, media_url=app.url + "/letter.pdf", status_callback=app.url + "/status"
    )
    emulator.wait(project.id, sent.sid, "delivered")
    emulator.settle(project.id)
    received, = app.of("/received")
    assert (received.form["FaxStatus"], received.form["NumPages"]) == ("received", "2")
    assert {(fax.direction, fax.sid) for fax in client.fax.faxes.list()} == {
        ("outbound", sent.sid), ("inbound", received.form["FaxSid"])
    }
