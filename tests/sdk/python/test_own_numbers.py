"""Tests received faxes with the library, and faxes to a number of the same account."""

from twilio.twiml.fax_response import FaxResponse

from conftest import BUYABLE
from test_inbound import FROM, REJECT, receive_twiml


def test_a_received_fax_is_listed_fetched_and_deleted(emulator, client, account, app, fax_number):
    app.answers["/fax"] = receive_twiml()
    sid = emulator.receive(account.sid)["fax"]["sid"]
    fax, = client.fax.faxes.list(to=BUYABLE, from_=FROM)
    assert (fax.sid, fax.direction, fax.status, fax.num_pages) == (sid, "inbound", "received", 1)
    assert [media.sid for media in client.fax.faxes(sid).media.list()] == [fax.media_sid]
    assert fax.delete() is True
    assert client.fax.faxes.list() == []


def test_a_rejected_fax_is_listed_as_canceled(emulator, client, account, app, fax_number):
    app.answers["/fax"] = REJECT
    emulator.receive(account.sid)
    fax, = client.fax.faxes.list()
    assert (fax.direction, fax.status, fax.duration, fax.price) == ("inbound", "canceled", None, None)


def test_a_fax_to_a_number_of_the_same_account_rings_there(emulator, client, account, app, fax_number):
    app.answers["/fax"] = receive_twiml(action="/received")
    app.answers["/received"] = None
    sent = client.fax.faxes.create(to=BUYABLE, from_=FROM, media_url=app.url + "/letter.pdf")
    emulator.wait(account.sid, sent.sid, "delivered")
    emulator.settle(account.sid)
    inbound, = [fax for fax in client.fax.faxes.list() if fax.direction == "inbound"]
    assert (inbound.status, inbound.from_, inbound.to, inbound.num_pages) == ("received", FROM, BUYABLE, 2)
    assert inbound.sid != sent.sid and inbound.duration == sent.fetch().duration
    assert app.of("/received")[0].form["FaxSid"] == inbound.sid
    assert emulator.session.get(inbound.media_url).content.startswith(b"%PDF-")


def test_a_fax_that_an_own_number_rejects_ends_as_busy(emulator, client, account, app, fax_number):
    app.answers["/fax"] = REJECT
    sent = client.fax.faxes.create(to=BUYABLE, from_=FROM, media_url=app.url + "/letter.pdf")
    emulator.wait(account.sid, sent.sid, "busy")
    assert sent.fetch().duration is None


def test_a_fax_to_an_own_number_without_usable_twiml_is_not_answered(emulator, client, account, app, fax_number):
    app.answers["/fax"] = FaxResponse()
    sent = client.fax.faxes.create(to=BUYABLE, from_=FROM, media_url=app.url + "/letter.pdf")
    emulator.wait(account.sid, sent.sid, "no-answer")
    assert (sent.fetch().duration, len(client.fax.faxes.list())) == (15, 1)
