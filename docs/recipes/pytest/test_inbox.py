"""The inbox against the emulator: faxes that come and go, things that fail, time that passes. No test sleeps."""

import pytest
import requests


def media(url):
    return requests.get(url, headers={"User-Agent": "inbox"}, timeout=10)


def sample(account):
    return account.url + "/_fauxfax/v1/samples/one-page.pdf"


def test_a_fax_lands_in_the_inbox(account, app):
    conversation = account("POST", "/incoming-faxes", json={"pages": 2}, wait="true")
    assert conversation["outcome"] == "received"
    assert list(app.inbox) == [conversation["fax_sid"]]
    part = {"kind": "webhook.attempt", "data": {"purpose": "action", "status": 204, "params": {"NumPages": "2"}}}
    verdict = account("POST", "/verify", json={"match": part, "times": 1})
    assert verdict["verified"], verdict["closest"]


def test_a_broken_transmission_lands_nowhere(account, app):
    outcome = {"status": "failed", "code": 34004, "after_pages": 1}
    conversation = account("POST", "/incoming-faxes", json={"pages": 3, "outcome": outcome}, wait="true")
    assert conversation["outcome"] == "failed"
    assert app.inbox == {}


@pytest.mark.parametrize("signature", ["bad", "missing"])
def test_a_request_without_a_valid_signature_is_refused(account, app, signature):
    account("POST", "/rules", json={"match": {"purpose": "action"}, "webhook": {"signature": signature}})
    account("POST", "/incoming-faxes", json={}, wait="true")
    refused = {"kind": "webhook.attempt", "data": {"purpose": "action", "status": 403}}
    verdict = account("POST", "/verify", json={"match": refused, "times": 1})
    assert verdict["verified"], verdict["closest"]
    assert app.inbox == {}


def test_a_busy_line_is_called_again(account, app):
    rule = {"match": {"to": "+1555*"}, "times": 1, "outcome": {"status": "busy"}}
    account("POST", "/rules", json=rule)
    first = app.send("+15558675310", sample(account))
    account("GET", "/wait", fax=first, status="busy")
    delivered = account("GET", "/wait", status="delivered")
    account("GET", "/wait", **{"for": "idle"})
    assert delivered["event"]["fax_sid"] != first
    assert app.sent == {first: "busy", delivered["event"]["fax_sid"]: "delivered"}


def test_the_link_to_a_document_expires_after_two_hours(account, app):
    account("POST", "/incoming-faxes", json={}, wait="true")
    (url,) = app.inbox.values()
    assert media(url).status_code == 200
    account("PUT", "/clock", json={"mode": "frozen"})
    account("POST", "/clock/advance", json={"seconds": 7201})
    assert media(url).status_code == 403


def test_the_app_passes_every_check_that_it_must(account, app):
    app_url = app.config["PUBLIC_URL"] + "/fax"
    order = {"url": app_url, "status_callback": app_url + "/status", "quick": True, "patience": 0.5}
    report = account("POST", "/check", json=order)
    failed = {check["id"]: check["seen"] for check in report["checks"] if check["verdict"] == "fail"}
    assert failed == {} and report["summary"]["pass"] > 10, report["summary"]


def test_a_reset_forgets_everything(account, app):
    account("POST", "/incoming-faxes", json={}, wait="true")
    assert account("GET", "/faxes")["total"] == 1
    assert account("POST", "/reset")["removed"] == {"faxes": 1}
    assert account("GET", "/faxes")["faxes"] == []
