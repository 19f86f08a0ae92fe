"""Tests the emulator's requests for an outgoing fax with the library's RequestValidator. The app (webhook_app.py) checks
every request of every test; here faxes are sent without the library, so that versions without a Fax API can be tested too."""

import pytest

FROM = "+15017122661"


@pytest.fixture
def send(emulator, account, app):
    """Sends a fax, waits until it has ended, and returns the requests to the app."""

    def send(media_path, callback_path, to="+15558675310"):
        form = {"To": to, "From": FROM, "MediaUrl": app.url + media_path, "StatusCallback": app.url + callback_path}
        login = (account.sid, account.token)
        created = emulator.session.post(emulator.url + "/v1/Faxes", data=form, auth=login)
        assert created.status_code == 201, created.text
        emulator.wait(account.sid, created.json()["sid"], "delivered,failed,busy")
        emulator.settle(account.sid)
        return app.exchanges

    return send


def test_the_get_of_the_document_and_every_callback_are_signed(app, send):
    app.answers["/status"] = None
    exchanges = send("/letter.pdf", "/status")
    assert [exchange.method for exchange in exchanges if exchange.path == "/letter.pdf"] == ["GET"]
    assert len(app.of("/status")) == 4
    assert all(exchange.is_valid and not exchange.is_valid_though_changed for exchange in exchanges)


@pytest.mark.parametrize(
    "query", ["?a=1&b=2", "?a=x%20y", "?plus=%2B1&slash=%2F&colon=%3A", "?umlaut=%C3%A9", "?blank=&bare", "?a=1&a=2"]
)
def test_a_url_with_a_query_is_signed_as_it_is_sent(app, send, query):
    app.answers["/status"] = None
    send("/letter.pdf" + query, "/status" + query)
    assert {exchange.url for exchange in app.exchanges} == {
        app.url + "/letter.pdf" + query, app.url + "/status" + query
    }
    assert len(app.exchanges) == 5


def test_a_fragment_is_neither_sent_nor_signed(app, send):
    app.answers["/status"] = None
    send("/letter.pdf#page=2", "/status#rc=2&rt=1000")
    assert {exchange.url for exchange in app.exchanges} == {app.url + "/letter.pdf", app.url + "/status"}


def test_a_password_in_the_url_is_not_signed(app, send):
    app.answers["/status"] = None
    app.lock("/status")
    app.lock("/letter.pdf")
    plain = app.url
    app.url = plain.replace("://", "://user:pass@")
    send("/letter.pdf", "/status")
    app.url = plain
    assert {exchange.url for exchange in app.exchanges} == {app.url + "/letter.pdf", app.url + "/status"}
    answered = [exchange for exchange in app.of("/status") if "Authorization" in exchange.headers]
    assert [exchange.form["FaxStatus"] for exchange in answered][-1] == "delivered"


def test_the_reason_of_a_failure_is_signed_as_well(app, send):
    app.answers["/status"] = None
    send("/letter.pdf", "/status", to="+15005550101")
    assert app.of("/status")[-1].form["ErrorMessage"] == "Callee Busy"
