"""Tests outgoing faxes, numbers, rules and the clock."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from conftest import App

import fauxfax
from fauxfax import expect


def test_a_fax_is_sent_through_the_rest_api(account: fauxfax.Account, app: App) -> None:
    fax = account.send("+15558675310", quality="standard", status_callback=f"{app.url}/status", ttl=5, store_media=False)
    assert (fax.status, fax.direction, fax.from_) == ("delivered", "outbound", "+15017122661")
    (request,) = [event for event in account.events(kind="api.request") if event.data["method"] == "POST"]
    assert request.data["path"] == "/v1/Faxes"
    assert {"Quality": "standard", "Ttl": "5", "StoreMedia": "false"}.items() <= request.data["params"].items()
    assert app.notified("/status", "FaxStatus")[-1] == "delivered"


def test_a_fax_is_queued_and_waited_for(account: fauxfax.Account) -> None:
    fax = account.queue("+15558675310", account.sample_url("two-pages.pdf"))
    assert fax.status == "queued"
    event = account.wait(["delivered", "failed"], fax.sid)
    assert (event.fax_sid, event.data["new"]) == (fax.sid, "delivered")
    assert account.wait("delivered", since=event.seq - 1) == event
    account.wait_idle()
    assert account.fax(fax.sid).num_pages == 2


def test_the_oldest_number_sends_and_an_account_without_one_says_so(account: fauxfax.Account) -> None:
    account.number("+15017122662")
    assert account.send("+15558675310").from_ == "+15017122661"
    for number in account.numbers():
        number.release()
    with pytest.raises(ValueError, match=r"account\.number\('\+15017122661'\) buys one"):
        account.send("+15558675310")


def test_numbers_are_bought_changed_and_released(account: fauxfax.Account) -> None:
    number = account.number("+15017122662", fax_url="http://localhost:3000/fax", voice_method="GET", friendly_name="Desk")
    assert (number.fax_url, number.receive_mode) == ("http://localhost:3000/fax", "fax")
    assert (number.raw["voice_method"], number.raw["friendly_name"]) == ("GET", "Desk")
    assert account.number("+15017122662") == number
    number = number.change(fax_url="", status_callback="http://localhost:3000/status", receive_mode="voice")
    assert (number.fax_url, number.status_callback, number.receive_mode) == (None, "http://localhost:3000/status", "voice")
    assert [each.phone_number for each in account.numbers()] == ["+15017122662", "+15017122661"]
    number.release()
    assert [each.phone_number for each in account.numbers()] == ["+15017122661"]


def test_twiml_answers_in_place_of_an_app(account: fauxfax.Account) -> None:
    account.number(twiml="<Response><Reject/></Response>")
    rejected = account.receive()
    assert rejected.outcome == "rejected"
    assert account.conversation(rejected.fax_sid).outcome == "rejected"
    account.number(fax_url=account.twiml_bin("<Response><Receive/></Response>"))
    assert account.receive().outcome == "received"


def test_a_number_must_be_clear(account: fauxfax.Account) -> None:
    with pytest.raises(ValueError, match="either fax_url or twiml"):
        account.number(fax_url="http://localhost", twiml="<Response/>")
    account.number("+15017122662")
    with pytest.raises(ValueError, match=r"has 2 numbers; name one of \+15017122662, \+15017122661"):
        account.number(fax_url="http://localhost")
    for number in account.numbers():
        number.release()
    with pytest.raises(ValueError, match="name the one to buy"):
        account.number()


def test_rules_make_things_go_wrong(account: fauxfax.Account) -> None:
    rule = account.rules.add({"to": "+1555*"}, outcome="busy", times=1)
    assert [account.send("+15558675310").status for _ in range(2)] == ["busy", "delivered"]
    (listed,) = account.rules.list()
    assert (listed.id, listed.matched, listed.fired, listed.enabled) == (rule.id, 2, 1, True)
    assert not account.rules.enable(rule, False).enabled
    account.rules.remove(rule)
    account.rules.add(outcome={"status": "failed", "code": 34004}, after=1)
    assert [account.send("+15558675310").status for _ in range(2)] == ["delivered", "failed"]
    account.rules.clear()
    account.rules.add(api={"status": 429}, chance=1.0, times=1)
    with pytest.raises(fauxfax.RestError) as caught:
        account.send("+15558675310")
    assert (caught.value.status, caught.value.code) == (429, 20429)
    account.rules.add(line={"rate_bps": 4800})
    account.rules.add({"purpose": "action"}, webhook={"signature": "bad"})
    assert account.rules.add(media={"status": 503}).raw["media"] == {"status": 503}
    assert len(account.rules.list()) == 4


def test_the_clock_is_moved(account: fauxfax.Account) -> None:
    clock = account.clock
    assert clock.mode() == "running"
    clock.freeze()
    assert clock.mode() == "frozen"
    before = clock.now()
    assert before.tzinfo is not None
    clock.advance(90)
    clock.advance(timedelta(minutes=1))
    assert clock.now() - before == timedelta(seconds=150)
    # The notification is due one second later by the account's clock.
    account.rules.add({"purpose": "action"}, webhook={"delay_ms": 1000})
    sid = account.ring(action=f"{account.url}/livez")
    account.wait("received", sid)
    assert account.conversation(sid).outcome is None
    assert ("webhook.attempt", sid) in {(event.kind, event.fax_sid) for event in clock.drain()}
    assert account.conversation(sid).outcome == "received"
    moment = datetime(2040, 3, 1, 12, tzinfo=timezone.utc)
    assert "clock.moved" in {event.kind for event in clock.advance(to=moment, timeout=5)}
    assert clock.now() == moment
    clock.run()
    assert clock.mode() == "running"


def test_a_move_of_the_clock_must_be_clear(account: fauxfax.Account) -> None:
    account.clock.freeze()
    with pytest.raises(ValueError, match="either by or to"):
        account.clock.advance()
    with pytest.raises(ValueError, match="no time zone"):
        account.clock.advance(to=datetime(2040, 3, 1))


def test_snapshots_and_resets_return_to_an_earlier_state(account: fauxfax.Account) -> None:
    account.number("+15017122662")
    account.snapshot("two-numbers")
    account.send("+15558675310", from_="+15017122661")
    account.restore("two-numbers")
    assert account.newest_fax() is None
    assert len(account.numbers()) == 2
    sids = []
    for _ in range(2):
        account.reset(seed=5)
        assert len(account.numbers()) == 1
        sids.append(account.send("+15558675310").sid)
    assert sids[0] == sids[1]


def test_what_happened_is_verified(account: fauxfax.Account, app: App) -> None:
    fax = account.send("+15558675310", status_callback=f"{app.url}/status")
    notified = account.verify(
        expect.webhook(purpose="status-callback", status="delivered", answered_with=200, params={"FaxSid": {"prefix": "FX"}})
    )
    assert [event.kind for event in notified] == ["webhook.attempt"]
    account.verify(expect.entered("delivered", fax.sid), times=1)
    account.verify(expect.entered("busy"), times=0)
    account.verify(expect.page(1, containing="fauxfax"))
    account.verify(expect.event("call.attempt", outcome="connected"), times={"at_least": 1, "at_most": 1})
    account.verify(in_order=[expect.entered("queued"), expect.entered("delivered")])
    assert account.verify(expect.entered("delivered"), all=True)
    account.verify(expect.entered("delivered"), times=0, since=account.events()[-1].seq)


def test_other_calls_can_be_made(account: fauxfax.Account) -> None:
    assert account.control("GET", "/state", {"media": "hash"})["account_sid"] == account.sid
    assert account.rest("GET", "/v1/Faxes")["faxes"] == []
