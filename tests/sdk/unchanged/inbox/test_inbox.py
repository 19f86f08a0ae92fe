"""The example inbox, unmodified. The emulator plays Twilio and the far end of the line; the tests read the inbox's page."""

import os
import subprocess
import sys

import pytest
import requests

from conftest import BLOCKED, FOLDER

FAR_END = "+15558675310"

# What the form says to its user.
NO_PDF = " is not a PDF. Only PDF documents can be faxed."
NO_DOCUMENT = "Choose a PDF, or give the address of one, but not both."
NO_NUMBER = "Write the number with its country code, such as +1 555 867 5310."


def test_a_fax_that_arrives_is_listed_with_its_document(emulator, app):
    fax = emulator.receive(pages=2, **{"from": FAR_END})["fax"]
    row, = app.incoming()
    assert (row["From"], row["Status"], row["Pages"]) == (FAR_END, "received", "2")
    document = emulator.document(fax["sid"])
    assert document.startswith(b"%PDF-")
    # The app has a copy of its own.
    assert emulator.client.fax.faxes(fax["sid"]).delete()
    assert app.document(row) == document


def test_a_fax_that_breaks_off_is_listed_with_the_reason(emulator, app):
    outcome = {"status": "failed", "code": 34004, "after_pages": 1}
    assert emulator.receive(pages=3, outcome=outcome)["outcome"] == "failed"
    row, = app.incoming()
    assert row["Status"].startswith("failed") and len(row["Status"]) > len("failed"), row
    assert row["link"] is None


def test_a_blocked_sender_is_rejected(emulator, app):
    assert emulator.receive(**{"from": BLOCKED})["outcome"] == "rejected"
    assert app.incoming() == []
    for sender in (FAR_END, "+15017122661"):
        assert emulator.receive(**{"from": sender})["outcome"] == "received"
    assert [row["From"] for row in app.incoming()] == ["+15017122661", FAR_END]


@pytest.mark.parametrize("signature", ["bad", "missing"])
def test_a_fax_without_a_valid_signature_is_refused(emulator, app, signature):
    emulator.rule(match={"purpose": "fax-url"}, webhook={"signature": signature}, times=1)
    assert emulator.receive()["outcome"] == "not-answered"
    assert app.incoming() == []


@pytest.mark.parametrize("signature", ["bad", "missing"])
def test_an_action_without_a_valid_signature_changes_nothing(emulator, app, signature):
    emulator.rule(match={"purpose": "action"}, webhook={"signature": signature}, times=1)
    conversation = emulator.receive()
    action = conversation["webhooks"][-1]
    assert (action["purpose"], action["status"]) == ("action", 403), action
    row, = app.incoming()
    assert (row["Status"], row["link"]) == ("receiving", None)


def test_a_forged_request_changes_nothing(emulator, app):
    emulator.receive()
    before = app.page().tables
    forged = {"FaxSid": "FX" + "0" * 32, "From": FAR_END, "FaxStatus": "received"}
    forged["MediaUrl"] = emulator.sample_url("one-page.pdf")
    for path in ("/fax", "/fax/received", "/fax/status/" + before["Incoming"][0]["link"].split("/")[-1][:-4]):
        assert app.webhook(path, forged).status_code == 403
        assert app.webhook(path, forged, token=emulator.token[::-1] + "0").status_code == 403
    assert app.page().tables == before
    # The same requests with the account's token are accepted, so it was the signature that counted.
    assert app.webhook("/fax", forged, token=emulator.token).status_code == 200
    assert app.webhook("/fax/received", forged, token=emulator.token).status_code == 204
    assert len(app.incoming()) == 2


def test_an_upload_is_sent_and_followed_until_it_is_delivered(emulator, app):
    # The callbacks come at least a second apart, by a clock that only moves when it is told to.
    emulator.call("PUT", "/clock", json={"mode": "frozen"})
    for nth in range(1, 5):
        emulator.rule(match={"purpose": "status-callback"}, webhook={"delay_ms": 1000 * nth}, times=1)
    page = app.send(("letter.pdf", emulator.sample("two-pages.pdf")), to="+1 (555) 867-5310")
    assert (page.status, page.alert) == (200, None)
    row, = page.tables["Outgoing"]
    assert (row["To"], row["Status"], row["Pages"]) == (FAR_END, "queued", "–")
    seen = []
    for _ in range(8):
        emulator.call("POST", "/clock/advance", json={"seconds": 1})
        seen.append(app.outgoing()[0]["Status"])
    walk = list(dict.fromkeys(seen))
    assert walk == ["queued", "processing", "sending", "delivered"]
    assert emulator.statuses_notified() == [(status, 204) for status in walk]
    row, = app.outgoing()
    assert row["Pages"] == "2"
    assert app.document(row) == emulator.sample("two-pages.pdf")


def test_only_twilio_can_fetch_an_upload(emulator, app):
    app.send(("letter.pdf", emulator.sample("one-page.pdf")), to=FAR_END)
    emulator.wait_until_idle()
    fetched, = emulator.call("GET", "/events", kind="document.fetched")["events"]
    url = fetched["data"]["url"]
    assert requests.get(url, timeout=10).status_code == 403
    assert app.fetch(url, emulator.token).content == emulator.sample("one-page.pdf")
    assert app.fetch(url.replace(".pdf", "x.pdf"), emulator.token).status_code == 404


def test_a_document_at_an_address_is_sent_and_fetched_back_from_twilio(emulator, app):
    app.send(to=FAR_END, url=emulator.sample_url("one-page.pdf"))
    emulator.wait_until_idle()
    row, = app.outgoing()
    assert row["Status"] == "delivered"
    fax, = emulator.client.fax.faxes.list()
    # The link in the callback expires after two hours.
    emulator.call("PUT", "/clock", json={"mode": "frozen"})
    emulator.call("POST", "/clock/advance", json={"seconds": 7201})
    document = app.document(row)
    assert document.startswith(b"%PDF-") and document == emulator.document(fax.sid)
    fax.delete()
    assert app.document(row) == document


@pytest.mark.parametrize(("outcome", "reason"), [("busy", "Callee Busy"), ("no-answer", "Callee did not answer")])
def test_a_line_that_does_not_answer_is_shown_with_the_reason(emulator, app, outcome, reason):
    emulator.rule(match={"to": "+1555*"}, outcome={"status": outcome}, times=1)
    app.send(("letter.pdf", emulator.sample("one-page.pdf")), to=FAR_END)
    emulator.wait_until_idle()
    row, = app.outgoing()
    assert (row["Status"], row["Pages"]) == (outcome + " " + reason, "–")


def test_repeated_and_late_webhooks_change_nothing(emulator, app):
    emulator.rule(match={"purpose": "status-callback"}, webhook={"reorder": True})
    emulator.rule(match={"direction": "inbound"}, webhook={"duplicate": True})
    app.send(("letter.pdf", emulator.sample("one-page.pdf")), to=FAR_END)
    emulator.receive()
    emulator.wait_until_idle()
    notified = emulator.statuses_notified()
    assert sorted(notified) == [(status, 204) for status in ("delivered", "processing", "queued", "sending")] != notified
    webhooks = emulator.call("GET", "/webhooks")["webhooks"]
    callback = next(webhook for webhook in webhooks if webhook["purpose"] == "status-callback")
    emulator.call("POST", "/webhooks/%s/replay" % callback["id"], json={"params": {"FaxStatus": "sending"}})
    assert emulator.call("POST", "/verify", json={"match": {"kind": "webhook.replayed"}, "times": 1})["verified"]
    assert [row["Status"] for row in app.outgoing()] == ["delivered"]
    assert [row["Status"] for row in app.incoming()] == ["received"]


def test_a_document_that_could_not_be_downloaded_is_fetched_when_it_is_opened(emulator, app):
    app.may_fail = True
    emulator.rule(match={"purpose": "action"}, webhook={"drop": True})
    fax = emulator.receive()["fax"]
    form = {"FaxSid": fax["sid"], "From": FAR_END, "FaxStatus": "received", "NumPages": "1"}
    form["MediaUrl"] = emulator.url + "/fax/none"
    assert app.webhook("/fax/received", form, token=emulator.token).status_code == 204
    row, = app.incoming()
    assert app.document(row) == emulator.document(fax["sid"])


@pytest.mark.parametrize(
    ("document", "fields", "messages"),
    [
        (("notes.txt", b"Dear all"), {"to": FAR_END}, {"document": "notes.txt" + NO_PDF}),
        (("letter.pdf", b""), {"to": FAR_END}, {"document": "letter.pdf" + NO_PDF}),
        (None, {"to": FAR_END}, {"document": NO_DOCUMENT}),
        (("letter.pdf", b"%PDF-"), {"to": FAR_END, "url": "https://example.com/letter.pdf"}, {"document": NO_DOCUMENT}),
        (None, {"to": FAR_END, "url": "letter.pdf"}, {"url": "The address must begin with https:// or http://."}),
        (("letter.pdf", b"%PDF-"), {"to": "5310"}, {"to": NO_NUMBER}),
    ],
)
def test_a_form_that_is_wrong_says_what_to_correct(emulator, app, document, fields, messages):
    page = app.send(document, **fields)
    assert (page.status, page.messages) == (422, messages)
    assert page.alert == "The fax was not sent. Correct what is marked below."
    (field,) = messages
    assert page.fields[field]["aria-invalid"] == "true"
    assert page.fields[field]["aria-describedby"] == field + "-error"
    assert page.fields["to"]["value"] == fields["to"]
    assert page.tables["Outgoing"] == [] and emulator.client.fax.faxes.list() == []


def test_an_upload_that_is_too_large_is_refused(emulator, app):
    page = app.send(("book.pdf", b"%PDF-" + bytes(10_000_000)), to=FAR_END)
    assert (page.status, page.messages) == (413, {"document": "The document is larger than 10 MB."})
    assert emulator.client.fax.faxes.list() == []


@pytest.mark.parametrize(
    ("fault", "reason"), [({"status": 429}, "Too Many Requests"), ({"reset": True}, "Twilio can't be reached.")]
)
def test_a_fax_that_twilio_does_not_accept_is_not_listed(emulator, app, fault, reason):
    app.may_fail = True
    emulator.rule(match={"method": "POST", "path": "/v1/Faxes"}, api=fault, times=1)
    page = app.send(("letter.pdf", emulator.sample("one-page.pdf")), to=FAR_END)
    assert (page.status, page.alert) == (502, "The fax was not sent: " + reason)
    assert page.tables["Outgoing"] == []


def test_the_scheme_that_a_proxy_reports_counts_only_if_the_proxy_is_trusted(emulator, start):
    call = {"FaxSid": "FX" + "0" * 32, "From": FAR_END}
    signed = {"token": emulator.token, "scheme": "https", "X-Forwarded-Proto": "https"}
    assert start().webhook("/fax", call, **signed).status_code == 403
    assert start(TRUST_PROXY="1").webhook("/fax", call, **signed).status_code == 200


def test_pages_need_the_password_and_webhooks_do_not(emulator, start):
    app = start(INBOX_PASSWORD="correct horse")
    login = ("anybody", "correct horse")
    assert emulator.receive()["outcome"] == "received"
    assert requests.get(app.url, timeout=10).status_code == 401
    assert requests.get(app.url, auth=("anybody", "wrong"), timeout=10).status_code == 401
    form = {"to": FAR_END, "url": emulator.sample_url("one-page.pdf")}
    assert requests.post(app.url, data=form, timeout=10).status_code == 401
    assert FAR_END not in requests.get(app.url, timeout=10).text
    assert "received" in requests.get(app.url, auth=login, timeout=10).text


def test_another_sites_form_sends_nothing(emulator, app):
    form = {"to": FAR_END, "url": emulator.sample_url("one-page.pdf")}
    response = requests.post(app.url, data=form, headers={"Sec-Fetch-Site": "cross-site"}, timeout=10)
    assert response.status_code == 403
    assert app.outgoing() == [] and emulator.client.fax.faxes.list() == []


def test_the_app_passes_every_check_that_it_must_or_should(emulator, app):
    # Some documents can't be downloaded, which the app logs.
    app.may_fail = True
    order = {"url": app.url + "/fax", "probe": app.url, "patience": 2}
    report = emulator.call("POST", "/check", json=order)
    failed = {check["id"]: check["seen"] for check in report["checks"] if check["verdict"] == "fail"}
    assert failed == {} and report["summary"]["pass"] > 30, report["summary"]


def test_the_app_says_which_settings_are_missing():
    environment = {name: value for name, value in os.environ.items() if name not in ("FAX_NUMBER", "PUBLIC_URL")}
    command = [sys.executable, "-m", "flask", "--app", "inbox", "run", "--port", "0"]
    ended = subprocess.run(command, cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 1
    assert ended.stderr == "inbox: FAX_NUMBER, PUBLIC_URL must be set; see README.md\n"
