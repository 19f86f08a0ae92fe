"""Tests the documents of sent and received faxes, which independent programs read."""

import re
import shutil
import subprocess

import pytest
from twilio.twiml.fax_response import FaxResponse

from documents import pdf, tiff

READERS = ("pdfinfo", "pdfimages", "qpdf", "tiffinfo")
pytestmark = pytest.mark.skipif(
    any(shutil.which(reader) is None for reader in READERS), reason="needs poppler-utils, qpdf and libtiff-tools"
)

# The rows of a US Letter page at each quality, and of an A4 page at fine quality.
LETTER = {"standard": 1078, "fine": 2156, "superfine": 4301}
A4_FINE = 2292


@pytest.fixture
def opened(emulator, tmp_path):
    """Fetches a document and returns what a reader prints about it. A warning from the reader is an error."""

    def opened(url, *command):
        path = tmp_path / "document"
        path.write_bytes(emulator.session.get(url).content)
        done = subprocess.run([*command, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
        assert done.stderr == b""
        return done.stdout.decode()

    return opened


def pages_of_pdf(opened, url):
    """Checks that a PDF has one image per page, and returns each image's width, height, bits per pel and coding."""
    opened(url, "qpdf", "--check")
    lines = opened(url, "pdfimages", "-list").splitlines()[2:]
    assert re.search(r"^Pages: +%d$" % len(lines), opened(url, "pdfinfo"), re.M)
    fields = [line.split() for line in lines]
    return [(int(each[3]), int(each[4]), each[7], each[8]) for each in fields]


@pytest.mark.parametrize("quality", LETTER)
def test_the_document_of_a_sent_fax_has_the_pages_that_were_sent(emulator, client, app, opened, quality):
    fax = client.fax.faxes.create(
        to="+15558675310", from_="+15017122661", media_url=app.url + "/letter.pdf", quality=quality
    )
    emulator.wait(client.username, fax.sid, "delivered")
    fax = fax.fetch()
    pages = pages_of_pdf(opened, fax.media_url)
    assert pages == [(1728, LETTER[quality], "1", "ccitt")] * fax.num_pages
    assert (fax.num_pages, fax.quality) == (2, quality)
    assert fax.duration > 15


def test_finer_pages_take_longer(emulator, client, app):
    durations = []
    for quality in LETTER:
        fax = client.fax.faxes.create(
            to="+15558675310", from_="+15017122661", media_url=app.url + "/letter.pdf", quality=quality
        )
        emulator.wait(client.username, fax.sid, "delivered")
        durations.append(fax.fetch().duration)
    assert durations == sorted(durations)


def test_a_fax_is_received_as_tiff_on_a4(emulator, account, app, fax_number, opened):
    response = FaxResponse()
    response.receive(action="/received", media_type="image/tiff", page_size="a4")
    app.answers["/fax"] = response
    app.answers["/received"] = None
    emulator.receive(account.sid, file=("in.pdf", pdf(3), "application/pdf"))
    told, = app.of("/received")
    described = opened(told.form["MediaUrl"], "tiffinfo")
    assert re.findall(r"Image Width: (\d+) Image Length: (\d+)", described) == [("1728", str(A4_FINE))] * 3
    assert described.count("CCITT Group 4") == 3 and described.count("Resolution: 204, 196 pixels/inch") == 3
    assert (told.form["NumPages"], told.form["FaxStatus"]) == ("3", "received")


def test_a_received_tiff_is_stored_as_pdf(emulator, account, app, fax_number, opened):
    response = FaxResponse()
    response.receive(action="/received")
    app.answers["/fax"] = response
    app.answers["/received"] = None
    emulator.receive(account.sid, file=("in.tiff", tiff(2), "image/tiff"))
    told, = app.of("/received")
    assert pages_of_pdf(opened, told.form["MediaUrl"]) == [(1728, LETTER["fine"], "1", "ccitt")] * 2
