"""Tests that each error says what happened and what to do."""

from __future__ import annotations

import asyncio
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from conftest import App

import fauxfax
from fauxfax import expect


def test_a_problem_has_its_name_detail_and_advice(account: fauxfax.Account) -> None:
    account.clock.freeze()
    with pytest.raises(fauxfax.ProblemError) as caught:
        account.receive()
    assert (caught.value.status, caught.value.name, caught.value.title) == (409, "clock-frozen", "Conflict")
    assert str(caught.value) == (
        "Conflict (409, clock-frozen): the clock is frozen, so the fax would never end; use ring() or queue() and then "
        "clock.advance() or clock.drain(), or let it run with clock.run()"
    )
    with pytest.raises(fauxfax.ProblemError, match="use ring\\(\\) or queue\\(\\)"):
        account.send("+15558675310")
    assert account.faxes() == []
    account.clock.run()
    with pytest.raises(fauxfax.ProblemError, match=r"clock is running; call clock\.freeze\(\) first"):
        account.clock.advance(1)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda account: account.receive(to="+15550000000"), r"404, number-not-found.*buys one"),
        (lambda account: account.receive(pages=1, media_url="http://localhost"), r"422"),
        (lambda account: account.receive(file=b"no document"), r"422, document-unreadable"),
        (lambda account: account.fax("FX" + "0" * 32), r"404, fax-not-found.*account\.faxes\(\) lists them"),
        (lambda account: account.rules.remove(99), r"404, rule-not-found.*account\.rules\.list\(\)"),
        (lambda account: account.rules.add({"too": "+1"}, outcome="busy"), r"422, bad-field.*did you mean to\?"),
        (lambda account: account.restore("none"), r"404, snapshot-not-found"),
        (lambda account: account.snapshot("a b"), r"422, bad-name"),
        (lambda account: account.verify({"kind": "fax.stauts"}), r"422, bad-field\): kind: .*did you mean fax\.status\?"),
        (lambda account: account.wait("recieved"), r"422"),
        (lambda account: account.control("GET", "/nothing"), r"404, no-such-call"),
    ],
)
def test_a_wrong_call_is_refused_with_the_reason(account: fauxfax.Account, wrong: object, told: str) -> None:
    assert callable(wrong)
    with pytest.raises(fauxfax.ProblemError, match=f"(?s){told}"):
        wrong(account)


def test_the_api_refuses_as_the_service_does(account: fauxfax.Account) -> None:
    with pytest.raises(fauxfax.RestError, match="status 400, code 21211: The 'To' number") as caught:
        account.queue("nonsense")
    assert (caught.value.status, caught.value.code) == (400, 21211)
    assert caught.value.more_info is not None


def test_a_wait_ends_in_time(account: fauxfax.Account) -> None:
    with pytest.raises(fauxfax.WaitTimeoutError) as caught:
        account.wait("busy", timeout=0.01)
    assert caught.value.name == "not-reached"
    assert "event loop" not in str(caught.value)
    account.timeout = 0.01
    with pytest.raises(fauxfax.WaitTimeoutError):
        account.wait("busy")


def test_a_wait_for_what_cannot_happen_fails_at_once(account: fauxfax.Account) -> None:
    fax = account.send("+15558675310")
    with pytest.raises(fauxfax.StatusUnreachableError) as caught:
        account.wait("busy", fax.sid)
    assert caught.value.fax_status == "delivered"


def test_a_wait_that_blocks_the_event_loop_says_so(account: fauxfax.Account) -> None:
    async def blocks() -> None:
        account.wait("busy", timeout=0.01)

    with pytest.raises(fauxfax.WaitTimeoutError, match=re.escape("await asyncio.to_thread(…)")):
        asyncio.run(blocks())


def test_what_was_not_verified_is_compared_with_the_closest_events(account: fauxfax.Account) -> None:
    account.send("+15558675310")
    with pytest.raises(fauxfax.NotVerifiedError) as caught:
        account.verify(expect.entered("busy"), times=2)
    lines = str(caught.value).splitlines()
    assert lines[0] == "expected 2 of {'kind': 'fax.status', 'data': {'new': 'busy'}}, found 0"
    assert "    data.new: want 'busy', got 'delivered'" in lines
    assert caught.value.found == 0
    assert caught.value.closest[0].kind == "fax.status"
    # A test runner reports it as a failed assertion.
    assert isinstance(caught.value, AssertionError)
    with pytest.raises(fauxfax.NotVerifiedError, match="expected 3 or more of"):
        account.verify(expect.entered("delivered"), times={"at_least": 3})
    with pytest.raises(fauxfax.NotVerifiedError, match="expected 2 to 3 of"):
        account.verify(expect.entered("delivered"), times={"at_least": 2, "at_most": 3})
    with pytest.raises(fauxfax.NotVerifiedError, match="step 2 of 2 did not occur"):
        account.verify(in_order=[expect.entered("delivered"), expect.entered("queued")])


def test_nobody_at_the_url_is_an_error() -> None:
    with pytest.raises(fauxfax.EmulatorUnreachableError, match=r"no emulator responds at http://127\.0\.0\.1:9.*fauxfax serve"):
        fauxfax.Emulator.at("http://127.0.0.1:9")


def test_another_server_at_the_url_is_an_error(app: App) -> None:
    with pytest.raises(fauxfax.EmulatorUnreachableError, match="is not a fauxfax emulator"):
        fauxfax.Emulator.at(app.url)


def test_a_server_without_http_is_an_error() -> None:
    class Silent(BaseHTTPRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"SSH-2.0\r\n")

    with HTTPServer(("127.0.0.1", 0), Silent) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with pytest.raises(fauxfax.EmulatorUnreachableError):
            fauxfax.Emulator.at(str(server.server_port))
        thread.join()


@pytest.mark.parametrize("url", ["", "http://", "ftp://localhost", "http://localhost:x", "http://localhost/api", "http://h:0"])
def test_text_that_is_not_a_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is not the URL of an emulator"):
        fauxfax.Emulator.at(url)


def test_an_account_does_not_print_its_token(account: fauxfax.Account) -> None:
    assert account.auth_token
    for shown in (account, account.number(), fauxfax.Emulator.at(account.url)):
        assert account.auth_token not in repr(shown)
