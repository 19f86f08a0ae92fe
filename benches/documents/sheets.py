#!/usr/bin/env python3
"""Makes contact sheets of fax pages: the whole page and a part of it at full size, at each resolution.

    benches/documents/sheets.py FAUXFAX FOLDER OUT

FOLDER is a folder that set.py has filled. The sheets are written to OUT, as fax-letter.png and so on. Needs Pillow."""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

# The part shown at full size: left and top, in inches.
PARTS = {"letter": (1, 0.5), "form": (0.8, 0.4), "photo": (2.6, 3.6), "scan": (1, 0.5), "chart": (2.4, 5), "tinted": (0.8, 0.4), "hairlines": (3.4, 0.6)}
ROWS_PER_INCH = {"standard": 98, "fine": 196, "superfine": 391}
CELL, WHOLE, PART, GAP = 408, 528, 300, 12


def page(fauxfax, document, quality, scratch):
    """Returns the first page, scaled to 204 rows per inch so that its pels are square."""
    out = scratch / "page.tiff"
    subprocess.run([fauxfax, "convert", "--quiet", "--quality", quality, str(document), str(out)], check=True)
    image = Image.open(out).convert("L")
    return image.resize((image.width, round(image.height * 204 / ROWS_PER_INCH[quality])), Image.BOX)


def main():
    fauxfax, folder, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    with tempfile.TemporaryDirectory() as scratch:
        for name, (left, top) in PARTS.items():
            sheet = Image.new("L", (3 * CELL + 4 * GAP, WHOLE + PART + 4 * GAP), 200)
            draw = ImageDraw.Draw(sheet)
            for column, quality in enumerate(ROWS_PER_INCH):
                whole = page(fauxfax, folder / (name + ".pdf"), quality, Path(scratch))
                x = GAP + column * (CELL + GAP)
                small = whole.resize((CELL, round(CELL * whole.height / whole.width)), Image.BOX)
                sheet.paste(small.crop((0, 0, CELL, WHOLE)), (x, 2 * GAP))
                corner = (round(left * 204), round(top * 204))
                part = whole.crop((*corner, corner[0] + CELL, corner[1] + PART))
                sheet.paste(part, (x, WHOLE + 3 * GAP))
                draw.text((x, 6), quality, fill=0)
            sheet.quantize(16).save(out / ("fax-%s.png" % name), optimize=True)


if __name__ == "__main__":
    main()
