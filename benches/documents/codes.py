#!/usr/bin/env python3
"""Measures how many pels wide the modules of a code must be for zbar to read the code from a fax page. The modules of a QR
code are measured in rows where rows are coarser than pels.

    benches/documents/codes.py FAUXFAX

A QR code (version 3, error correction M) and a Code 128 are drawn as filled squares and bars at three places on the
grid of pels, and converted at each quality. Rows are repeated until pels are square. zbar sees the page at its own
size and at twice that size; a code counts if zbar reads it at either. Needs zbarimg, segno and Pillow."""

import subprocess
import sys
import tempfile
from pathlib import Path

import segno
from PIL import Image

ROWS_PER_INCH = {"standard": 98, "fine": 196, "superfine": 391}
PELS_PER_INCH = 204
PELS = (0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.5, 2.8, 3.0, 3.5, 4.0)
# The offsets of the code's corner from a whole inch, in inches; apart from 0, none is a whole number of pels.
OFFSETS = (0, 0.0013, 0.0034)
# The widths of the bars and spaces of "FAX-2024-0815" in Code 128 B.
BARS = "2112141323111113233311211221322232111231222232112212311221321231223112221232212132121114222331112"


def page(rectangles):
    """Returns a letter-size PDF with filled rectangles, given in inches from its lower left corner."""
    content = "".join("%.5f %.5f %.5f %.5f re " % tuple(72 * side for side in each) for each in rectangles) + "f"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>",
        "<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
    ]
    file, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, each.encode())
    start = len(file)
    file += b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return file + b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start


def qr(module, offset):
    rows = segno.make("https://example.com/fax/4711", error="m", boost_error=False).matrix
    for y, row in enumerate(rows):
        for x, is_black in enumerate(row):
            if is_black:
                yield 1 + offset + x * module, 9 - offset * 0.7 - y * module, module, module


def bars(module, offset):
    at = 1 + offset
    for number, width in enumerate(BARS):
        if number % 2 == 0:
            yield at, 8, int(width) * module, 0.5
        at += int(width) * module


def is_read(fauxfax, document, quality, scratch):
    fax, picture = scratch / "fax.tiff", scratch / "page.png"
    subprocess.run([fauxfax, "convert", "--quiet", "--quality", quality, document, fax], check=True)
    image = Image.open(fax).convert("L")
    height = round(image.height * PELS_PER_INCH / ROWS_PER_INCH[quality])
    for times in (1, 2):
        image.resize((image.width * times, height * times), Image.NEAREST).save(picture)
        if subprocess.run(["zbarimg", "-q", "--raw", picture], stdout=subprocess.PIPE).stdout.strip():
            return True
    return False


def main(fauxfax):
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        document = scratch / "code.pdf"
        for name, code in (("QR code", qr), ("Code 128", bars)):
            for quality, rows in ROWS_PER_INCH.items():
                per_inch = min(PELS_PER_INCH, rows) if code is qr else PELS_PER_INCH
                counts = []
                for pels in PELS:
                    read = 0
                    for offset in OFFSETS:
                        document.write_bytes(page(code(pels / per_inch, offset)))
                        read += is_read(fauxfax, document, quality, scratch)
                    counts.append("%s: %d/%d" % (pels, read, len(OFFSETS)))
                print(name, quality, ", ".join(counts), flush=True)


main(sys.argv[1])
