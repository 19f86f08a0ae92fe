"""Makes small valid documents."""

import struct


def pdf(pages):
    """Returns a PDF of this many US Letter pages, each of which shows its number."""
    kids = " ".join("%d 0 R" % (4 + 2 * page) for page in range(pages))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        ("<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages)).encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for page in range(pages):
        text = b"BT /F1 36 Tf 72 700 Td (Page %d of %d) Tj ET" % (page + 1, pages)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * page)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text))
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        out += b"%010d 00000 n \n" % offset
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)


def tiff(pages, width=1728, height=64):
    """Returns an uncompressed bilevel TIFF of this many white pages, by default as wide as a fax page."""
    strip = b"\x00" * (width // 8) * height
    resolution = struct.pack("<II", 204, 1)
    out = bytearray(b"II*\x00") + struct.pack("<I", 8)
    for page in range(pages):
        directory = len(out)
        entries = 12
        after = directory + 2 + 12 * entries + 4
        fields = [
            (254, 4, 1, 2),  # NewSubfileType: a page of several
            (256, 4, 1, width),
            (257, 4, 1, height),
            (258, 3, 1, 1),  # BitsPerSample
            (259, 3, 1, 1),  # Compression: none
            (262, 3, 1, 0),  # PhotometricInterpretation: white is zero
            (273, 4, 1, after + 2 * len(resolution)),  # StripOffsets
            (277, 3, 1, 1),  # SamplesPerPixel
            (278, 4, 1, height),  # RowsPerStrip
            (279, 4, 1, len(strip)),  # StripByteCounts
            (282, 5, 1, after),  # XResolution
            (283, 5, 1, after + len(resolution)),  # YResolution
        ]
        out += struct.pack("<H", entries)
        for field in fields:
            out += struct.pack("<HHII", *field)
        following = after + 2 * len(resolution) + len(strip)
        out += struct.pack("<I", following if page + 1 < pages else 0)
        out += resolution + resolution + strip
    return bytes(out)
