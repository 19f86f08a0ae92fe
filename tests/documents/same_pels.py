#!/usr/bin/env python3
"""Compares each page of a fax TIFF, as libtiff decodes it, with the same page of a fax PDF, as poppler decodes it.

    same_pels.py TIFF PDF

Prints the number of pages, or fails at the first page that differs."""

import struct
import subprocess
import sys
import tempfile
from pathlib import Path


def pels_of_tiff(path):
    """Returns the width, the height and the bytes of an uncompressed bilevel TIFF in which white is zero."""
    data = path.read_bytes()
    order = {b"II": "<", b"MM": ">"}[data[:2]]
    start = struct.unpack_from(order + "I", data, 4)[0]
    fields = {}
    for entry in range(struct.unpack_from(order + "H", data, start)[0]):
        at = start + 2 + 12 * entry
        tag, kind, count = struct.unpack_from(order + "HHI", data, at)
        size, code = {3: (2, "H"), 4: (4, "I")}.get(kind, (0, ""))
        if size:
            place = at + 8 if size * count <= 4 else struct.unpack_from(order + "I", data, at + 8)[0]
            fields[tag] = struct.unpack_from("%s%d%s" % (order, count, code), data, place)
    assert fields[262] == (0,) and fields[259] == (1,), "tiffcp did not write the format that it was asked for"
    strips = zip(fields[273], fields[279])
    return fields[256][0], fields[257][0], b"".join(data[offset : offset + size] for offset, size in strips)


def pels_of_pbm(path):
    """Returns the width, the height and the bytes of a PBM, in which white is zero as well."""
    kind, size, pels = path.read_bytes().split(b"\n", 2)
    assert kind == b"P4"
    width, height = map(int, size.split())
    return width, height, pels


def main():
    tiff, pdf = map(Path, sys.argv[1:3])
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        subprocess.run(["tiffsplit", str(tiff), str(scratch / "tiff")], check=True)
        subprocess.run(["pdfimages", str(pdf), str(scratch / "pdf")], check=True)
        pages = sorted(scratch.glob("tiff*.tif"))
        images = sorted(scratch.glob("pdf*.pbm"))
        assert pages and len(pages) == len(images), "%d pages and %d images" % (len(pages), len(images))
        for number, (page, image) in enumerate(zip(pages, images), 1):
            raw = page.with_suffix(".raw")
            subprocess.run(["tiffcp", "-c", "none", str(page), str(raw)], check=True)
            ours, theirs = pels_of_tiff(raw), pels_of_pbm(image)
            assert ours[:2] == theirs[:2], "page %d: %s and %s pels" % (number, ours[:2], theirs[:2])
            assert ours[2] == theirs[2], "page %d: the pels differ" % number
        print(len(pages))


if __name__ == "__main__":
    main()
