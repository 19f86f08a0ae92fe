"""Tests that methods accept what other methods return, and that invalid arguments are refused with the reason."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fauxfax
from fauxfax import emulator as emulator_module
from fauxfax import expect


@pytest.fixture
def conversation(inbox: fauxfax.Account) -> fauxfax.Conversation:
    return inbox.receive(pages=2)


def test_a_fax_may_be_named_by_what_the_methods_return(account: fauxfax.Account) -> None:
    queued = account.queue("+15558675310")
    assert account.wait("delivered", queued).fax_sid == queued.sid
    assert account.wait_settled(queued) == "delivered"
    delivered = account.fax(queued)
    conversation = account.conversation(delivered)
    assert conversation.fax_sid == queued.sid
    assert account.fax(conversation) == delivered
    for fax in (queued.sid, queued, conversation):
        assert len(account.pages(fax)) == delivered.num_pages
        assert account.page(fax, 1).startswith(b"\x89PNG")
        assert account.page_text(fax, 1)
        assert account.document(fax).startswith(b"%PDF")
        assert queued.sid in account.conversation_markdown(fax)
        assert account.conversation_har(fax)
        assert account.events(fax=fax) == account.events(fax=queued.sid)
        assert [webhook.purpose for webhook in account.webhooks(fax=fax)] == ["media-url"]
        account.verify(expect.entered("delivered", fax=fax), times=1)


@pytest.mark.parametrize("fax", [None, 1, b"FX", {"sid": "FX"}])
def test_a_value_that_names_no_fax_is_refused(account: fauxfax.Account, fax: Any) -> None:
    for call in (account.fax, account.pages, account.conversation, account.wait_settled):
        with pytest.raises(TypeError, match=r"not by .*pass a fax's \.sid, or the \.fax_sid"):
            call(fax)
    with pytest.raises(ValueError, match="the SID of the fax is empty"):
        account.fax("")


@pytest.mark.parametrize(("name", "nearest"), [("fax_ulr", "fax_url"), ("voice_metod", "voice_method"), ("VoiceUrl", "voice_url")])
def test_an_unknown_attribute_is_refused_with_the_nearest_name(account: fauxfax.Account, name: str, nearest: str) -> None:
    for call in (account.number, account.number().change):
        with pytest.raises(TypeError, match=re.escape(f"number() has no argument {name}; did you mean {nearest}?")):
            call(**{name: "GET"})
    assert account.number(voice_method="GET", friendly_name="Desk").raw["friendly_name"] == "Desk"


def test_every_attribute_that_can_be_set_is_known(account: fauxfax.Account) -> None:
    url, sid = "http://localhost:3000/fax", "AP" + "0" * 32
    values = {name: url if name.endswith("_url") else "GET" for name in account.number().raw if re.search("_(url|method)$", name)}
    changed = account.number(**values, friendly_name="Desk", trunk_sid="TK" + "0" * 32)
    assert {name: changed.raw[name] for name in values} == values
    assert account.number(address_sid="AD" + "0" * 32).raw["address_sid"] == "AD" + "0" * 32
    with pytest.raises(fauxfax.RestError):
        account.number(voice_application_sid=sid)


def test_a_document_may_be_bytes_of_any_kind_or_an_open_file(inbox: fauxfax.Account, tmp_path: Path) -> None:
    document = inbox.document(inbox.receive(), "tiff")
    path = tmp_path / 'a "name"\nof é.tiff'
    path.write_bytes(document)
    with path.open("rb") as file:
        for given in (document, bytearray(document), memoryview(document), io.BytesIO(document), file, path, str(path)):
            assert inbox.receive(file=given).num_pages == 1
    wrong: Any
    for wrong in (7, io.StringIO("text"), None.__class__):
        with pytest.raises(TypeError, match="a file is given as its path, its bytes, or a file that is open in binary mode"):
            inbox.receive(file=wrong)


def test_a_document_that_is_too_long_is_not_sent(account: fauxfax.Account, tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    with path.open("wb") as file:
        file.truncate(300_000_000)
    with pytest.raises(ValueError, match=r"long\.pdf has 300000000 bytes or more; a document may have at most 67108864"):
        account.receive(file=path)
    with path.open("rb") as file, pytest.raises(ValueError, match="at most 67108864"):
        account.receive(file=file)


def test_a_request_that_is_refused_before_it_was_read_shows_the_response(account: fauxfax.Account) -> None:
    with pytest.raises(fauxfax.ProblemError, match="413"):
        account.control("POST", "/twiml-bins", body={"name": "long", "twiml": "x" * 100_000_000})


@pytest.mark.parametrize(
    ("wrong", "kind", "told"),
    [
        (lambda account: account.receive(True), TypeError, "pages is a whole number from 1 to 500, not True"),
        (lambda account: account.receive(2.5), TypeError, "pages is a whole number from 1 to 500, not 2.5"),
        (lambda account: account.ring(501), ValueError, "pages is a whole number from 1 to 500, not 501"),
        (lambda account: account.receive(timeout="x"), TypeError, "timeout is a number of seconds, not 'x'"),
        (lambda account: account.wait_idle(timeout=float("nan")), ValueError, "timeout is a number of seconds from 0 on, not nan"),
        (lambda account: account.clock.drain(timeout=-1), ValueError, "timeout is a number of seconds from 0 on, not -1"),
        (lambda account: account.faxes(limit=None), TypeError, "limit is a whole number of at least 0, not None"),
        (lambda account: account.page("FX", "1"), TypeError, "number is a whole number of at least 1, not '1'"),
        (lambda account: account.snapshot(1), TypeError, "a name is a string, not 1"),
        (lambda account: account.rules.add({"to": "\ud800"}, outcome="busy"), ValueError, "contains a lone surrogate"),
        (lambda account: account.queue("\ud800"), ValueError, "contains a lone surrogate"),
        (lambda account: account.faxes("\ud800"), ValueError, "contains a lone surrogate"),
        (lambda account: account.snapshot("\ud800"), ValueError, "contains a lone surrogate"),
        (lambda account: account.rest("GET", "/\ud800"), ValueError, "contains a lone surrogate"),
        (lambda account: account.rules.add({}, chance=float("nan"), outcome="busy"), ValueError, "infinite or NaN"),
    ],
)
def test_an_impossible_argument_is_refused(account: fauxfax.Account, wrong: Any, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=re.escape(told)):
        wrong(account)


def test_a_page_beyond_the_last_is_refused_with_the_number_of_pages(
    inbox: fauxfax.Account, conversation: fauxfax.Conversation
) -> None:
    for call in (inbox.page, inbox.page_text):
        with pytest.raises(fauxfax.ProblemError, match=f"{conversation.fax_sid} has 2 pages, so there is no page 3"):
            call(conversation, 3)


def test_numbers_are_a_list(emulator: fauxfax.Emulator) -> None:
    with pytest.raises(TypeError, match=re.escape("numbers is a list, such as ['+15017122661']")):
        emulator.account(numbers="+15017122661")
    account = emulator.account(numbers=None)
    assert account.numbers() == []
    account.delete()


def test_a_path_needs_neither_a_slash_nor_an_encoding(account: fauxfax.Account) -> None:
    assert account.control("GET", "rules") == {"rules": []}
    assert account.control("GET", "/faxes?limit=1")["faxes"] == []
    assert account.rest("GET", "v1/Faxes")["faxes"] == []
    with pytest.raises(fauxfax.RestError, match="status 404"):
        account.rest("GET", "/v1/Faxés and more")


def test_a_control_token_that_no_header_can_hold_is_refused() -> None:
    for token in ("tökén", "two words", "two\nlines"):
        with pytest.raises(ValueError, match="the control token must consist of visible ASCII characters"):
            fauxfax.Emulator.at("http://127.0.0.1:9", token)
        with pytest.raises(ValueError, match="the control token must consist of visible ASCII characters"):
            fauxfax.Emulator.start(control_token=token)
    with fauxfax.Emulator.start(control_token="s3cret\n") as own:
        assert fauxfax.Emulator.at(int(own.url.rpartition(":")[2]), "s3cret\n").health()["status"] == "ok"


@pytest.fixture
def _older_package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(emulator_module, "_VERSION", "0.0.1")
    yield


@pytest.mark.usefixtures("_older_package")
def test_an_emulator_of_another_version_is_noticed(emulator: fauxfax.Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = f"{emulator.url} has version {emulator.health()['version']}, and the Python package fauxfax has version 0.0.1"
    with pytest.warns(UserWarning, match=re.escape(versions)):
        running = fauxfax.Emulator.at(emulator.url)
    with warnings.catch_warnings():
        # Users who know about the difference can silence the warning.
        warnings.simplefilter("ignore")
        fauxfax.Emulator.at(emulator.url)

    class Older(fauxfax.Account):
        def __init__(self, connection: Any, raw: Any) -> None:
            super().__init__(connection, {name: value for name, value in raw.items() if name != "auth_token"})

    monkeypatch.setattr(emulator_module, "Account", Older)
    told = f"{re.escape(versions)}, and an account of the emulator has no field 'auth_token'"
    with pytest.raises(fauxfax.FauxfaxError, match=told):
        running.default_account()
