"""Tests the media of a fax with the library: list, fetch, delete, and the URL that expires."""

import datetime
import re

import pytest
from twilio.base.exceptions import TwilioRestException

from conftest import properties


@pytest.fixture
def fax(emulator, client, app):
    fax = client.fax.faxes.create(to="+15558675310", from_="+15017122661", media_url=app.url + "/letter.pdf")
    emulator.wait(client.username, fax.sid, "delivered")
    return fax.fetch()


def test_a_sent_fax_has_one_document(emulator, client, account, fax):
    listed = client.fax.faxes(fax.sid).media.list()
    assert [media.sid for media in listed] == [fax.media_sid]
    media = client.fax.faxes(fax.sid).media(fax.media_sid).fetch()
    assert properties(media) == properties(listed[0]) == properties(listed[0].fetch())
    assert (media.fax_sid, media.account_sid, media.content_type) == (fax.sid, account.sid, "application/pdf")
    assert isinstance(media.date_created, datetime.datetime) and isinstance(media.date_updated, datetime.datetime)
    assert fax.date_created <= media.date_created <= fax.date_updated
    assert media.url == "%s/v1/Faxes/%s/Media/%s" % (emulator.origin(), fax.sid, fax.media_sid)


def test_a_list_of_media_can_be_limited(client, fax):
    media = client.fax.faxes(fax.sid).media
    assert len(media.list(page_size=7)) == len(media.list(limit=1)) == len(media.list(page_size=1)) == 1
    page = media.page(page_size=1)
    assert [item.sid for item in page] == [fax.media_sid] and page.next_page() is None


def test_deleting_the_document_keeps_the_fax(emulator, client, fax):
    media = client.fax.faxes(fax.sid).media(fax.media_sid)
    assert media.delete() is True
    assert client.fax.faxes(fax.sid).media.list() == []
    kept = client.fax.faxes(fax.sid).fetch()
    assert (kept.status, kept.num_pages, kept.media_sid, kept.media_url) == ("delivered", 2, None, None)
    for call in (media.fetch, media.delete):
        with pytest.raises(TwilioRestException) as refused:
            call()
        assert (refused.value.status, refused.value.code) == (404, 20404)
    assert emulator.session.get(fax.media_url).status_code == 404


def test_the_document_of_another_fax_is_not_found(client, fax):
    with pytest.raises(TwilioRestException) as refused:
        client.fax.faxes(fax.sid).media("ME" + "0" * 32).fetch()
    assert (refused.value.status, refused.value.code) == (404, 20404)


def test_a_media_url_needs_no_password_and_serves_ranges(emulator, fax):
    whole = emulator.session.get(fax.media_url)
    assert (whole.status_code, whole.content[:5]) == (200, b"%PDF-")
    assert re.search(r'filename="?%s\.pdf' % fax.sid, whole.headers["Content-Disposition"])
    part = emulator.session.get(fax.media_url, headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, whole.content[5:10])
    head = emulator.session.head(fax.media_url)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(whole.content)))


def test_a_media_url_expires_after_two_hours_and_a_fetch_returns_a_new_one(emulator, client, account, fax):
    assert emulator.session.get(fax.media_url + "0").status_code == 403
    emulator.control("PUT", "/clock", account.sid, json={"mode": "frozen"})
    emulator.control("POST", "/clock/advance", account.sid, json={"seconds": 2 * 60 * 60 + 1})
    expired = emulator.session.get(fax.media_url)
    assert (expired.status_code, expired.headers["Content-Type"]) == (403, "application/xml")
    renewed = client.fax.faxes(fax.sid).fetch()
    assert renewed.media_url != fax.media_url
    assert emulator.session.get(renewed.media_url).content.startswith(b"%PDF-")
