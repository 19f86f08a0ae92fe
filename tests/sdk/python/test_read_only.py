"""Tests what every version with a Fax API can do, including those without create and update (7.6.0 to 7.9.1)."""

import requests


def sent(emulator, account, app, count):
    """Sends faxes without the library, and returns their SIDs, the newest first."""
    order = {"To": "+15558675310", "From": "+15017122661", "MediaUrl": app.url + "/letter.pdf"}
    login = (account.sid, account.token)
    answers = [emulator.session.post(emulator.url + "/v1/Faxes", data=order, auth=login) for _ in range(count)]
    faxes = [answer.json()["sid"] for answer in answers]
    for fax in faxes:
        emulator.wait(account.sid, fax, "delivered")
    return faxes[::-1]


def test_faxes_are_listed_page_by_page(emulator, account, client, app):
    faxes = sent(emulator, account, app, 3)
    assert [fax.sid for fax in client.fax.faxes.list(page_size=1)] == faxes


def test_the_document_of_a_fax_is_found_and_downloaded(emulator, account, client, app):
    (fax,) = sent(emulator, account, app, 1)
    shown = client.fax.faxes(fax).fetch()
    assert shown.status == "delivered" and shown.url == "%s/v1/Faxes/%s" % (emulator.origin(), fax)
    (media,) = client.fax.faxes(fax).media.list()
    assert media.sid == shown.media_sid
    # The document is downloaded as an app would do it, without the settings of the tests' session.
    document = requests.get(shown.media_url, timeout=30)
    assert document.content.startswith(b"%PDF-")
    assert client.fax.faxes(fax).media(media.sid).delete() and client.fax.faxes(fax).delete()
    assert client.fax.faxes.list() == []
