#!/usr/bin/env python3
"""Compares how much ink the fax pages of many documents have, block by block, with the output of other programs.

    benches/documents/compare.py FAUXFAX FOLDER... [--pages N] [--jobs N] [--list FILE]

Each PDF, TIFF, PNG and JPEG under the folders is converted by `fauxfax convert` at fine quality. pdftoppm draws the
reference for PDFs and Pillow the one for images, upright and on white; tiff2rgba replaces Pillow for TIFFs that Pillow
can't read. Each page and its reference are cut into blocks of about a quarter of an inch. A document counts as wrong if the
ink of a page's blocks differs much, or if pages are missing. Scans whose paper is whitened on purpose differ as well, so
wrong documents must be inspected: --list writes a line per document. Needs Pillow, numpy, poppler-utils and
libtiff-tools."""

import argparse
import concurrent.futures
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from PIL import Image, ImageFile, ImageOps, ImageSequence

KINDS = {".pdf", ".tif", ".tiff", ".png", ".jpg", ".jpeg"}
# Pels per inch of a fax page at fine quality.
ACROSS, DOWN = 204, 196
REFERENCE_DPI = 51
SECONDS_MAX = 120
# A block differs if its ink differs by this much. A page is wrong if this share of its blocks differs, or if the mean
# difference of its blocks is this large.
DIFFERENCE = 0.25
WRONG_SHARE = 0.04
WRONG_MEAN = 0.08
# Smaller images are a few dots on paper, too little ink to compare.
PELS_MIN = 2_000

Image.MAX_IMAGE_PIXELS = 200_000_000


class Unread(Exception):
    """Raised for a document that no other program can read."""


def flattened(image):
    """Converts an image to greys on white, scaling deep samples to 8 bits."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        values = numpy.asarray(image).astype(float)
        if image.mode == "F" or values.max(initial=0) > 65_535:
            raise Unread("samples of an unusual kind")
        return Image.fromarray((values / 257).clip(0, 255).astype("u1"))
    if image.mode == "P" and "transparency" in image.info or image.mode in ("LA", "PA", "RGBA", "RGBa", "La"):
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("L")
    return image.convert("RGB" if image.mode not in ("1", "L") else "L").convert("L")


def is_copy(frame):
    """Returns whether a page of a TIFF is a reduced copy or a mask."""
    tags = getattr(frame, "tag_v2", {})
    return bool(tags.get(254, 0) & 5) or tags.get(255, 0) == 2


def image_pages(path, most):
    try:
        with Image.open(path) as image:
            shape = image.info.get("dpi", (1, 1))
            ratio = float(shape[0] or 1) / float(shape[1] or 1) if shape[0] and shape[1] else 1.0
            pages = [] if image.format == "TIFF" else [(flattened(image.copy()), ratio)]
            if image.format == "TIFF":
                for index in range(getattr(image, "n_frames", 1)):
                    image.seek(index)
                    if len(pages) < most and (not is_copy(image) or image.n_frames == 1):
                        pages.append((flattened(image.copy()), ratio))
            if not pages:
                raise Unread("no pages")
            return pages
    except Unread:
        raise
    except Exception as fault:
        if path.suffix.lower() in (".tif", ".tiff"):
            return [(by_libtiff(path), 1.0)]
        raise Unread(str(fault)) from fault


def by_libtiff(path):
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "page.tif"
        done = subprocess.run(["tiff2rgba", "-c", "none", str(path), str(target)], capture_output=True, timeout=SECONDS_MAX)
        if done.returncode or not target.exists():
            raise Unread("neither Pillow nor libtiff reads it")
        try:
            return flattened(Image.open(target))
        except Exception as fault:
            raise Unread(str(fault)) from fault


def pdf_pages(path, most):
    with tempfile.TemporaryDirectory() as folder:
        command = ["pdftoppm", "-r", str(REFERENCE_DPI), "-gray", "-cropbox", "-l", str(most), str(path), folder + "/p"]
        try:
            subprocess.run(command, capture_output=True, timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired as fault:
            raise Unread("poppler is too slow") from fault
        pages = [(Image.open(page).copy(), 1.0) for page in sorted(Path(folder).glob("p*"))]
        if not pages:
            raise Unread("poppler reads no page")
        return pages


def blocks(greys, rows, columns):
    """Returns the mean ink of each block, row by row."""
    return 1 - numpy.asarray(greys.resize((columns, rows), Image.BOX)).astype(float) / 255


def difference(page, reference, ratio):
    """Returns the mean difference in ink and the share of blocks that differ, for the reference upright or turned,
    whichever fits better."""
    best = (1.0, 1.0)
    for turned in (False, True):
        upright = reference.rotate(-90, expand=True) if turned else reference
        shape = 1 / ratio if turned else ratio
        inches = page.height / DOWN
        width = round(inches * upright.width / upright.height / shape * ACROSS)
        if not 8 <= width <= page.width + 40:
            continue
        left = (page.width - width) // 2
        part = page.crop((left, 0, left + width, page.height))
        if left < 0:
            white = Image.new("L", (width, page.height), 255)
            white.paste(page, (-left, 0))
            part = white
        rows, columns = max(1, round(inches * 4)), max(1, round(width / ACROSS * 4))
        differs = numpy.abs(blocks(part, rows, columns) - blocks(upright, rows, columns))
        best = min(best, (float(differs.mean()), float((differs > DIFFERENCE).mean())))
    return best


def compared(job):
    """Compares one document and returns the outcome with its reason."""
    fauxfax, path, most = job
    try:
        references = pdf_pages(path, most) if path.suffix.lower() == ".pdf" else image_pages(path, most)
        unread = None
    except Unread as fault:
        references, unread = [], str(fault)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out.tiff"
        try:
            done = subprocess.run([fauxfax, "convert", "--quiet", str(path), str(target)], capture_output=True, timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            return "too slow", ""
        message = done.stderr.decode(errors="replace").strip()
        if done.returncode < 0 or done.returncode == 101:
            return "crashed", message
        if done.returncode:
            return ("refused, as by others" if unread else "refused, though others read it"), message
        if unread:
            return "converted, though no other reads it", unread
        with Image.open(target) as pages:
            made = [page.convert("L") for page in ImageSequence.Iterator(pages)]
    is_reported = "lost:" in message
    if len(made) < len(references):
        return ("wrong, reported" if is_reported else "wrong, silent"), "%d pages of %d" % (len(made), len(references))
    if len(references) < most and len(made) > len(references):
        # A tall page is cut into several pieces, which have no counterpart.
        return "converted", "%d pages of %d" % (len(made), len(references))
    for number, (page, (reference, ratio)) in enumerate(zip(made, references), 1):
        if reference.width * reference.height < PELS_MIN:
            continue
        mean, share = difference(page, reference, ratio)
        if (mean > WRONG_MEAN or share > WRONG_SHARE) and number == 1 and path.suffix.lower() in (".tif", ".tiff"):
            # Pillow misreads some planes, tiles and rotated pages that libtiff reads correctly.
            try:
                mean, share = min((mean, share), difference(page, by_libtiff(path), 1.0))
            except Unread:
                pass
        if mean > WRONG_MEAN or share > WRONG_SHARE:
            why = "page %d: mean %.3f, blocks %.3f %s" % (number, mean, share, message[:100])
            return ("wrong, reported" if is_reported else "wrong, silent"), why
    return "converted", message[:100]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fauxfax")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--pages", type=int, default=5, help="pages compared per document")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", type=Path, help="file to write a line per document to")
    flags = parser.parse_args()
    paths = sorted(path for folder in flags.folders for path in folder.rglob("*") if path.suffix.lower() in KINDS and path.is_file())
    counts, lines = {}, []
    with concurrent.futures.ThreadPoolExecutor(flags.jobs) as pool:
        for path, (outcome, why) in zip(paths, pool.map(compared, [(flags.fauxfax, path, flags.pages) for path in paths])):
            counts[outcome] = counts.get(outcome, 0) + 1
            lines.append("%s\t%s\t%s" % (outcome, path, why.replace("\n", " | ")))
            if not outcome.startswith("converted") and outcome != "refused, as by others":
                print(lines[-1], flush=True)
    if flags.list:
        flags.list.write_text("\n".join(lines) + "\n")
    print("%d documents" % len(paths))
    for outcome, count in sorted(counts.items()):
        print("%6d %s" % (count, outcome))


if __name__ == "__main__":
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    sys.exit(main())
