"""Tests receiving with a Flask app whose TwiML the library builds: each attribute of <Receive>, <Reject/>, and failures.
The newest versions of the library have no Fax API, so the fax is read from the control API's response, and all versions can
run these tests."""

import re

import pytest
from twilio.twiml.fax_response import FaxResponse

from conftest import BUYABLE
from documents import pdf, tiff
from emulator import Problem

FROM = "+15558675310"
REJECT = ("<Response><Reject/></Response>", 200, {"Content-Type": "text/xml"})


def receive_twiml(**attributes):
    response = FaxResponse()
    response.receive(**attributes)
    return response


def executed(conversation):
    """Returns the verb and its attributes as the emulator has read them."""
    return next(event["data"] for event in conversation["events"] if event["kind"] == "twiml.executed")


def alerts(conversation):
    return [event["data"]["code"] for event in conversation["events"] if event["kind"] == "alert"]


def purposes(conversation):
    return [webhook["purpose"] for webhook in conversation["webhooks"]]


def test_an_app_is_asked_for_twiml_and_notified_of_the_fax(emulator, account, app, fax_number):
    app.answers["/fax"] = receive_twiml(action="/fax/received")
    app.answers["/fax/received"] = None
    conversation = emulator.receive(account.sid, pages=3, station_id="EXAMPLE INC")
    assert conversation["outcome"] == "received"
    fax = conversation["fax"]
    asked, = app.of("/fax")
    common = {"FaxSid": fax["sid"], "AccountSid": account.sid, "From": FROM, "To": BUYABLE, "ApiVersion": "v1"}
    assert asked.method == "POST"
    assert asked.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    assert asked.form == common
    told, = app.of("/fax/received")
    assert told.method == "POST"
    media_url = told.form["MediaUrl"]
    expected = {"RemoteStationId": "EXAMPLE INC", "FaxStatus": "received", "Status": "received", "NumPages": "3"}
    expected["BitRate"] = "14400"
    assert told.form == {**common, **expected, "MediaUrl": media_url}
    stored = emulator.session.get(media_url)
    assert (stored.status_code, stored.headers["Content-Type"]) == (200, "application/pdf")
    assert stored.content.startswith(b"%PDF-")
    shown = ("direction", "status", "from", "to", "num_pages", "price_unit")
    assert [fax[name] for name in shown] == ["inbound", "received", FROM, BUYABLE, 3, "USD"]
    assert isinstance(fax["price"], str) and type(fax["duration"]) is int


def test_receive_without_attributes_stores_the_fax_and_notifies_nobody(emulator, account, app, fax_number):
    app.answers["/fax"] = receive_twiml()
    conversation = emulator.receive(account.sid)
    assert (conversation["outcome"], purposes(conversation)) == ("received", ["fax-url"])
    defaults = {"verb": "Receive", "action": None, "method": "POST", "mediaType": "application/pdf"}
    assert executed(conversation) == {**defaults, "pageSize": "letter", "storeMedia": True}
    assert conversation["fax"]["media_sid"].startswith("ME")


def test_without_an_action_the_numbers_status_callback_is_notified(emulator, client, account, app, fax_number):
    fax_number.update(status_callback=app.url + "/ended", status_callback_method="GET")
    app.answers["/fax"] = receive_twiml()
    app.answers["/ended"] = None
    conversation = emulator.receive(account.sid)
    assert purposes(conversation) == ["fax-url", "status-callback"]
    told, = app.of("/ended")
    assert (told.method, told.query["FaxStatus"]) == ("GET", "received")


def test_with_an_action_the_numbers_status_callback_is_not_notified(emulator, account, app, fax_number):
    fax_number.update(status_callback=app.url + "/ended")
    app.answers["/fax"] = receive_twiml(action="/received")
    app.answers["/received"] = None
    assert purposes(emulator.receive(account.sid)) == ["fax-url", "action"]


@pytest.mark.parametrize("action", ["/a/received", "received?x=1&y=a%20b", "../received", "absolute"])
def test_an_action_may_be_absolute_or_relative(emulator, account, app, fax_number, action):
    fax_number.update(voice_url=app.url + "/a/b/fax?key=1")
    places = {
        "/a/received": "/a/received",
        "received?x=1&y=a%20b": "/a/b/received",
        "../received": "/a/received",
        "absolute": "/elsewhere",
    }
    app.answers["/a/b/fax"] = receive_twiml(action=app.url + "/elsewhere" if action == "absolute" else action)
    app.answers[places[action]] = None
    assert emulator.receive(account.sid)["outcome"] == "received"
    told, = app.of(places[action])
    assert told.form["FaxStatus"] == "received"
    assert told.query == ({"x": "1", "y": "a b"} if "?" in action else {})


def test_an_action_by_get_has_its_parameters_in_the_query(emulator, account, app, fax_number):
    app.answers["/fax"] = receive_twiml(action="/received?key=a%26b", method="GET")
    app.answers["/received"] = None
    emulator.receive(account.sid)
    told, = app.of("/received")
    assert (told.method, told.body) == ("GET", b"")
    assert (told.query["key"], told.query["FaxStatus"], told.query["To"]) == ("a&b", "received", BUYABLE)
    assert "+" not in told.url, "a plus in a query reads as a space to some frameworks"


def test_an_app_may_be_asked_by_get(emulator, account, app, fax_number):
    fax_number.update(voice_method="GET", voice_url=app.url + "/fax?tenant=7")
    app.answers["/fax"] = receive_twiml()
    fax = emulator.receive(account.sid)["fax"]
    asked, = app.of("/fax")
    expected = {"FaxSid": fax["sid"], "AccountSid": account.sid, "From": FROM, "To": BUYABLE, "ApiVersion": "v1"}
    assert (asked.method, asked.query) == ("GET", {"tenant": "7", **expected})


def test_a_fax_can_be_stored_as_tiff(emulator, account, app, fax_number):
    app.answers["/fax"] = receive_twiml(action="/received", media_type="image/tiff", page_size="a4")
    app.answers["/received"] = None
    conversation = emulator.receive(account.sid, file=("in.tiff", tiff(2), "image/tiff"))
    assert (executed(conversation)["mediaType"], executed(conversation)["pageSize"]) == ("image/tiff", "a4")
    told, = app.of("/received")
    stored = emulator.session.get(told.form["MediaUrl"])
    assert (told.form["NumPages"], stored.headers["Content-Type"]) == ("2", "image/tiff")
    assert stored.content[:4] in (b"II*\x00", b"MM\x00*")


@pytest.mark.parametrize("size", ["letter", "legal", "a4"])
def test_each_page_size_is_accepted_without_a_warning(emulator, account, app, fax_number, size):
    app.answers["/fax"] = receive_twiml(page_size=size)
    conversation = emulator.receive(account.sid)
    assert (executed(conversation)["pageSize"], alerts(conversation)) == (size, [])


def test_media_that_are_not_stored_follow_the_fields_of_the_action(emulator, account, app, fax_number):
    app.answers["/fax"] = receive_twiml(action="/received", store_media=False)
    app.answers["/received"] = None
    conversation = emulator.receive(account.sid, file=("in.pdf", pdf(2), "application/pdf"))
    told, = app.of("/received")
    assert told.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert (told.form["FaxStatus"], told.form["NumPages"]) == ("received", "2")
    assert "MediaUrl" not in told.form
    name, content_type, content = told.files["Media"]
    assert list(told.files) == ["Media"]
    assert (name, content_type) == (told.form["FaxSid"] + ".pdf", "application/pdf")
    assert content.startswith(b"%PDF-")
    parts = re.findall(rb'Content-Disposition: form-data; name="(\w+)"', told.body)
    assert parts[-1] == b"Media" and b"FaxSid" in parts[:-1], "text fields come before the file"
    assert (conversation["fax"]["media_sid"], conversation["fax"]["media_url"]) == (None, None)
    assert conversation["fax"]["num_pages"] == 2


def test_a_rejected_fax_is_canceled(emulator, account, app, fax_number):
    app.answers["/fax"] = REJECT
    conversation = emulator.receive(account.sid)
    assert (conversation["outcome"], purposes(conversation)) == ("rejected", ["fax-url"])
    fax = conversation["fax"]
    assert (fax["status"], fax["num_pages"], fax["media_sid"], fax["price"]) == ("canceled", None, None, None)


@pytest.mark.parametrize("content_type", ["text/xml", "application/xml", "text/html; charset=utf-8"])
def test_each_content_type_that_frameworks_send_is_accepted(emulator, account, app, fax_number, content_type):
    app.answers["/fax"] = (str(receive_twiml()), 200, {"Content-Type": content_type})
    assert emulator.receive(account.sid)["outcome"] == "received"


NOT_ANSWERED = {
    "no verb": ("<Response></Response>", "text/xml", 200, 34106),
    "a verb in lower case": ("<Response><receive/></Response>", "text/xml", 200, 34106),
    "another root": ("<Answer><Receive/></Answer>", "text/xml", 200, 12102),
    "no XML": ("<Response><Receive></Response>", "text/xml", 200, 12100),
    "nothing": ("", "text/xml", 200, 11770),
    "JSON": ("{}", "application/json", 200, 12300),
    "too much": ("<Response><Receive/>%s</Response>" % (" " * 65536), "text/xml", 200, 11750),
    "an error page": ("<h1>Oops</h1>", "text/html", 500, 11200),
}


@pytest.mark.parametrize("case", NOT_ANSWERED)
def test_a_response_that_is_not_twiml_creates_no_fax(emulator, account, app, fax_number, case):
    body, content_type, status, code = NOT_ANSWERED[case]
    app.answers["/fax"] = (body, status, {"Content-Type": content_type})
    conversation = emulator.receive(account.sid)
    assert (conversation["outcome"], conversation["fax"]) == ("not-answered", None)
    assert code in alerts(conversation)


def test_a_wrong_value_raises_a_warning_and_the_default_applies(emulator, account, app, fax_number):
    app.answers["/fax"] = receive_twiml(media_type="application/msword")
    conversation = emulator.receive(account.sid)
    assert (conversation["outcome"], alerts(conversation)) == ("received", [12200])
    assert executed(conversation)["mediaType"] == "application/pdf"


def test_the_fallback_is_asked_with_the_reason(emulator, account, app, fax_number):
    fax_number.update(voice_fallback_url=app.url + "/fallback")
    app.answers["/fax"] = ("broken", 500)
    app.answers["/fallback"] = receive_twiml()
    conversation = emulator.receive(account.sid)
    assert (conversation["outcome"], purposes(conversation)) == ("received", ["fax-url", "fallback-url"])
    asked, = app.of("/fallback")
    assert (asked.form["ErrorCode"], asked.form["ErrorUrl"]) == ("11200", app.url + "/fax")


def test_a_broken_transmission_fails_the_fax_and_the_app_is_notified_of_the_reason(emulator, account, app, fax_number):
    app.answers["/fax"] = receive_twiml(action="/received")
    app.answers["/received"] = None
    broken = {"status": "failed", "code": 34004, "after_pages": 1}
    conversation = emulator.receive(account.sid, pages=3, outcome=broken)
    assert conversation["outcome"] == "failed"
    told, = app.of("/received")
    assert (told.form["FaxStatus"], told.form["ErrorCode"]) == ("failed", "34004")
    assert told.form["ErrorMessage"] and "MediaUrl" not in told.form and "NumPages" not in told.form
    assert conversation["fax"]["media_sid"], "the page that arrived is kept"


def test_cookies_are_returned_within_a_fax_but_not_in_the_next(emulator, account, app, fax_number):
    app.answers["/fax"] = (str(receive_twiml(action="/received")), 200, {
        "Content-Type": "text/xml", "Set-Cookie": "session=abc; Path=/"
    })
    app.answers["/received"] = None
    emulator.receive(account.sid)
    emulator.receive(account.sid)
    assert [exchange.headers.get("Cookie") for exchange in app.of("/received")] == ["session=abc"] * 2
    assert [exchange.headers.get("Cookie") for exchange in app.of("/fax")] == [None] * 2


def test_a_redirect_is_followed_and_signed_for_its_target(emulator, account, app, fax_number):
    app.answers["/fax"] = ("", 307, {"Location": "/moved/fax"})
    app.answers["/moved/fax"] = receive_twiml(action="received")
    app.answers["/moved/received"] = None
    assert emulator.receive(account.sid)["outcome"] == "received"
    assert [len(app.of(path)) for path in ("/fax", "/moved/fax", "/moved/received")] == [1, 1, 1]


def test_a_voice_number_accepts_no_fax(emulator, account, app, fax_number):
    fax_number.update(voice_receive_mode="voice")
    with pytest.raises(Problem) as refused:
        emulator.receive(account.sid, to=BUYABLE)
    assert (refused.value.status, refused.value.body["type"].split(":")[-1]) == (409, "not-a-fax-number")
    assert fax_number.fetch().voice_url == app.url + "/fax", "VoiceUrl is kept"


def test_a_number_that_nobody_owns_is_not_found(emulator, account, fax_number):
    with pytest.raises(Problem) as refused:
        emulator.receive(account.sid, to="+15005550199")
    assert refused.value.status == 404
