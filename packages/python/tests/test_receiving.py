"""Tests incoming faxes, and what can be read about them."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import App

import fauxfax
from fauxfax import expect

PNG = b"\x89PNG\r\n\x1a\n"


def test_a_fax_is_received_and_the_app_is_notified(inbox: fauxfax.Account, app: App) -> None:
    conversation = inbox.receive(pages=2, from_="+15552223333", station_id="FRONT DESK")
    assert conversation.outcome == "received"
    assert conversation.num_pages == 2
    assert conversation.fax is not None
    assert (conversation.fax.from_, conversation.fax.to) == ("+15552223333", "+15017122661")
    assert conversation.fax.direction == "inbound"
    assert [webhook.purpose for webhook in conversation.webhooks] == ["fax-url", "action"]
    assert conversation.webhooks[1].delivered
    assert conversation.webhooks[1].attempts[0].status == 200
    assert app.notified("/received", "FaxStatus") == ["received"]
    assert app.notified("/received", "RemoteStationId") == ["FRONT DESK"]


def test_a_call_without_an_app_is_not_answered(account: fauxfax.Account) -> None:
    conversation = account.receive()
    assert conversation.outcome == "not-answered"
    assert conversation.fax is None
    assert conversation.num_pages is None
    assert [fax.status for fax in account.faxes(status="any")] == ["not-answered"]


def test_a_document_is_received_from_its_path_its_bytes_or_its_url(inbox: fauxfax.Account, tmp_path: Path) -> None:
    pdf = inbox.document(inbox.receive(pages=3).fax_sid)
    assert pdf.startswith(b"%PDF")
    path = tmp_path / 'a "quoted" name.pdf'
    path.write_bytes(pdf)
    assert inbox.receive(file=path).num_pages == 3
    assert inbox.receive(file=str(path), quality="standard").num_pages == 3
    assert inbox.receive(file=pdf).num_pages == 3
    assert inbox.receive(media_url=inbox.sample_url("two-pages.pdf")).num_pages == 2


def test_a_transmission_breaks_on_request(inbox: fauxfax.Account) -> None:
    outcome = {"status": "failed", "code": 34004, "after_pages": 1}
    conversation = inbox.receive(pages=3, outcome=outcome)
    assert conversation.outcome == "failed"
    assert conversation.fax is not None
    assert conversation.fax.error_code == 34004
    document = inbox.document(inbox.receive(pages=3).fax_sid, "tiff")
    assert inbox.receive(file=document, outcome=outcome).outcome == "failed"


def test_the_url_of_an_action_is_notified_and_the_numbers_app_is_not_asked(account: fauxfax.Account, app: App) -> None:
    sid = "FX" + "1" * 32
    conversation = account.receive(action=f"{app.url}/received", sid=sid)
    assert (conversation.outcome, conversation.fax_sid) == ("received", sid)
    assert app.notified("/received", "FaxSid") == [sid]


def test_ring_does_not_wait(inbox: fauxfax.Account) -> None:
    inbox.clock.freeze()
    # The delay is on the frozen clock, so the call can't go on until the clock moves.
    inbox.rules.add(webhook={"delay_ms": 1000})
    sid = inbox.ring(pages=1, to="+15017122661")
    assert inbox.faxes(status="any") == []
    assert sid in {event.fax_sid for event in inbox.clock.drain()}
    conversation = inbox.conversation(sid)
    assert conversation.outcome == "received"
    assert [webhook.purpose for webhook in conversation.webhooks] == ["fax-url", "action"]
    assert inbox.wait_settled(sid) == "received"


def test_pages_are_read_as_pictures_and_as_text(inbox: fauxfax.Account) -> None:
    sid = inbox.receive(pages=2).fax_sid
    pages = inbox.pages(sid, width=400)
    assert [page[:8] for page in pages] == [PNG, PNG]
    # A PNG's header has the width in bytes 16 to 19.
    assert int.from_bytes(pages[0][16:20], "big") == 400
    assert "Page 2 of 2" in (inbox.page_text(sid, 2) or "")
    assert inbox.page(sid, 1).startswith(PNG)
    assert inbox.document(sid, "tiff")[:2] in (b"II", b"MM")
    # A page from a picture has no text.
    assert inbox.page_text(inbox.receive(file=pages[0]).fax_sid, 1) is None
    with pytest.raises(ValueError, match="pdf or tiff"):
        inbox.document(sid, "docx")


def test_a_conversation_can_be_exported(inbox: fauxfax.Account) -> None:
    sid = inbox.receive().fax_sid
    assert sid in inbox.conversation_markdown(sid)
    assert b'"log"' in inbox.conversation_har(sid)


def test_faxes_are_listed_newest_first_and_searched(inbox: fauxfax.Account) -> None:
    assert inbox.newest_fax() is None
    sids = [inbox.receive(pages=pages).fax_sid for pages in (1, 2, 3)]
    assert [fax.sid for fax in inbox.faxes()] == sids[::-1]
    assert [fax.sid for fax in inbox.faxes("pages:>1", direction="inbound", limit=1)] == sids[2:]
    assert [fax.sid for fax in inbox.faxes("pages:>1", status="received", number="+15017122661")] == sids[:0:-1]
    newest = inbox.newest_fax()
    assert newest is not None
    assert newest.sid == sids[2]
    assert inbox.fax(sids[0]).num_pages == 1


def test_a_webhook_is_sent_again_with_edits(inbox: fauxfax.Account, app: App) -> None:
    inbox.receive()
    (action,) = [webhook for webhook in inbox.webhooks() if webhook.purpose == "action"]
    inbox.replay(action, params={"FaxStatus": "failed", "NumPages": None})
    inbox.replay(action.id, url=f"{app.url}/elsewhere")
    assert app.notified("/received", "FaxStatus") == ["received", "failed"]
    assert app.notified("/elsewhere", "FaxStatus") == ["received"]
    assert len(inbox.events(kind="webhook.replayed")) == 2


def test_a_signature_is_explained(inbox: fauxfax.Account) -> None:
    inbox.receive()
    action = inbox.webhooks()[1]
    wrong = inbox.explain_signature(action.url, action.params, app_url=action.url.replace("http:", "https:"))
    assert (wrong.valid, wrong.mistake) == (False, "scheme")
    assert inbox.explain_signature(action.url, action.params, signature=wrong.expected).valid
    assert not inbox.explain_signature(action.url, body="{}", signature=wrong.expected, token="12345").valid


def test_signalwire_projects_receive_faxes(emulator: fauxfax.Emulator, app: App) -> None:
    account = emulator.account(dialect="signalwire", signing_key="PSK_1", numbers=["+15017122661"])
    assert (account.dialect, account.signing_key) == ("signalwire", "PSK_1")
    account.number("+15017122662", fax_url=f"{app.url}/fax")
    conversation = account.receive(pages=2, to="+15017122662")
    assert (conversation.outcome, conversation.num_pages) == ("received", 2)
    assert len(account.pages(conversation.fax_sid)) == 2
    account.verify(expect.webhook(purpose="action", status="received", fax=conversation.fax_sid))
    assert account.send("+15558675310", from_="+15017122662").status == "delivered"
    account.delete()
