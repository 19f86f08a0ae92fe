#!/usr/bin/env python3
"""Makes documents with each kind of page (text with rules, a photograph, a grey PNG), using only Python's standard library.

    make.py FOLDER"""

import struct
import sys
import zlib
from pathlib import Path


def pdf(pages):
    """Returns a PDF of US Letter pages. Each page is a pair: its content, and the rows of a grey image named X, or None."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", None, b"<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >>"]
    kids = []
    for content, rows in pages:
        picture = b""
        if rows:
            data = zlib.compress(b"".join(rows))
            objects.append(
                b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8"
                b" /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(rows[0]), len(rows), len(data), data)
            )
            picture = b"/XObject << /X %d 0 R >>" % len(objects)
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
        kids.append(len(objects) + 1)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R"
            b" /Resources << /Font << /F 3 0 R >> %s >> >>" % (len(objects), picture)
        )
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(b"%d 0 R" % kid for kid in kids))
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def text(number):
    lines = b"".join(b"(%d. Of the making of many books there is no end.) Tj T* " % line for line in range(1, 46))
    rules = b"".join(b"%g w 60 %d m 550 %d l S " % (line * 0.1, 80 + line, 80 + line) for line in range(0, 40, 4))
    return b"BT /F 12 Tf 14 TL 72 740 Td (Page %d) Tj T* %s ET %s 0.8 g 60 20 200 40 re f" % (number, lines, rules)


def gray(width, height):
    """Returns the rows of an image of grey waves, one byte per pel."""
    return [bytes((x * y // 300 + x // 3) % 256 for x in range(width)) for y in range(height)]


def png(rows):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def main():
    folder = Path(sys.argv[1])
    waves = gray(600, 400)
    (folder / "text.pdf").write_bytes(pdf([(text(number), None) for number in range(1, 4)]))
    (folder / "photo.pdf").write_bytes(pdf([(b"q 468 0 0 312 72 400 cm /X Do Q " + text(1), waves)]))
    (folder / "gray.png").write_bytes(png(waves))


if __name__ == "__main__":
    main()
