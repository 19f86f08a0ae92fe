#!/usr/bin/env python3
"""Measures what is legible on fax pages: tesseract's character errors on letter.pdf and scan.pdf, and how many lines of
hairlines.pdf survive.

    benches/documents/legible.py FAUXFAX FOLDER

FOLDER was made by set.py. The same pages are made by `fauxfax convert`, by Ghostscript's tiffg4 and by pdftoppm -mono.
The error is the Levenshtein distance to the text of the PDF, in percent of its characters; rows are repeated until pels
are square before tesseract sees them. Needs tesseract, gs, poppler-utils, Pillow and numpy."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from PIL import Image

ROWS_PER_INCH = {"standard": 98, "fine": 196, "superfine": 391}


def run(*command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return done.stdout.decode()


def by_fauxfax(fauxfax, document, quality, to):
    run(fauxfax, "convert", "--quiet", "--quality", quality, document, to.with_suffix(".tiff"))
    return to.with_suffix(".tiff")


def by_ghostscript(_, document, quality, to):
    resolution = "-r204x%d" % ROWS_PER_INCH[quality]
    run("gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=tiffg4", resolution, "-o", to.with_suffix(".tiff"), document)
    return to.with_suffix(".tiff")


def by_poppler(_, document, quality, to):
    resolution = ("-rx", "204", "-ry", ROWS_PER_INCH[quality])
    run("pdftoppm", "-mono", *resolution, "-f", "1", "-l", "1", "-singlefile", document, to)
    return to.with_suffix(".pbm")


MAKERS = {"fauxfax": by_fauxfax, "gs tiffg4": by_ghostscript, "pdftoppm -mono": by_poppler}


def distance(one, other):
    row = list(range(len(other) + 1))
    for at, left in enumerate(one, 1):
        above, row[0] = row[:], at
        for place, right in enumerate(other, 1):
            row[place] = min(above[place] + 1, row[place - 1] + 1, above[place - 1] + (left != right))
    return row[-1]


def words(text):
    return " ".join(text.split())


def read(page, quality, scratch):
    """Returns the text that tesseract reads on the first page."""
    image = Image.open(page).convert("L")
    height = round(image.height * 204 / ROWS_PER_INCH[quality])
    square = scratch / "square.png"
    image.resize((image.width, height), Image.NEAREST).save(square, dpi=(204, 204))
    return words(run("tesseract", square, "-"))


def lines(page, quality):
    """Counts horizontal and vertical lines at three places along their length, and returns the least count of each."""
    black = numpy.asarray(Image.open(page).convert("L")) < 128
    # A letter-size page is 1734 pels wide at 204 pels per inch. A narrower page shows only its middle,
    # so its columns lie further left.
    down, left = ROWS_PER_INCH[quality] / 72, (black.shape[1] - 1734) // 2
    across = 204 / 72

    def count(pels):
        return int((pels[1:] & ~pels[:-1]).sum() + pels[0])

    columns = [black[:, int(at * across) + left] for at in (90, 180, 290)]
    rows = [black[int((792 - at) * down), int(320 * across) + left :] for at in (500, 600, 700)]
    return min(map(count, columns)), min(map(count, rows))


def main():
    fauxfax, folder = sys.argv[1], Path(sys.argv[2])
    truth = words(run("pdftotext", "-f", "1", "-l", "1", "-layout", folder / "letter.pdf", "-"))
    print("| page | %s |\n|---|%s" % (" | ".join(MAKERS), "---|" * len(MAKERS)))
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        for name in ("letter", "scan"):
            for quality in ("standard", "fine"):
                cells = []
                for make in MAKERS.values():
                    page = make(fauxfax, folder / (name + ".pdf"), quality, scratch / "page")
                    error = distance(read(page, quality, scratch), truth) / len(truth)
                    cells.append("%.2f %%" % (100 * error))
                print("| %s, %s | %s |" % (name, quality, " | ".join(cells)), flush=True)
        for quality in ROWS_PER_INCH:
            made = [make(fauxfax, folder / "hairlines.pdf", quality, scratch / "page") for make in MAKERS.values()]
            cells = ["%d/48 and %d/64" % lines(page, quality) for page in made]
            print("| hairlines, %s | %s |" % (quality, " | ".join(cells)), flush=True)


if __name__ == "__main__":
    main()
