#!/usr/bin/env python3
"""Makes the documents to be measured, always with the same content, from a seed.

    benches/documents/set.py FOLDER [--small]

letter (2 pages of text), report (95 with tables and bars), form (4 with rules and fields), photo (1), scan (the letter's
first page, printed and scanned askew on grey paper), images (6 pages, each a photograph), chart (a plot as a picture),
tinted (a form with tinted rows), hairlines (48 and 64 lines of 0 to 1 point). --small leaves out images.pdf and all but 6
pages of the report. The measured set also has a long manual from elsewhere, which is copied in by hand:
GS9_Color_Management.pdf from Debian's ghostscript-doc (42 pages).

Needs reportlab, numpy, Pillow and pdftoppm."""

import random
import subprocess
import sys
from pathlib import Path

import numpy
from PIL import Image, ImageDraw, ImageFilter
from reportlab.lib.pagesizes import letter
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen import canvas

WIDTH, HEIGHT = letter
LINE_WIDTHS = [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1]
WORDS = """the of and to in that for it as was with be by on not he his but at are this have from or had an they which
one you were all her she there would their we him been has when who will no more if out so up said what its about than
into them can only other time new some could these two may first then do any like my now over such our man me even most
made after also did many off before must well back through years where much your way down should because long each just
state people those too little good world make very year still see own work men day get here old between both life being
under three never know same last another while us might great go come since against right came take used himself few
house use place during high without again home around small however found part school thought went say general once upon
war every left don does got united number hand course water until away always public something fact less through put
head think called set enough end took government night yet better nothing told eyes city going look asked later knew
point next program business group toward young let room within children important service taken order several""".split()


class Writer:
    """Writes random sentences, which are the same for the same seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def sentence(self):
        return " ".join(self.random.choice(WORDS) for _ in range(self.random.randint(7, 16))).capitalize() + "."

    def text(self, page, top, size=11, bottom=72, paragraphs=6):
        """Writes paragraphs from a height downwards."""
        for _ in range(paragraphs):
            paragraph = " ".join(self.sentence() for _ in range(5))
            for line in simpleSplit(paragraph, "Times-Roman", size, WIDTH - 144):
                if top < bottom:
                    return
                page.setFont("Times-Roman", size)
                page.drawString(72, top, line)
                top -= size * 1.25
            top -= size * 0.7


def make_letter(path):
    page, writer = canvas.Canvas(str(path), pagesize=letter, invariant=True), Writer(7)
    page.setFont("Helvetica-Bold", 16)
    page.drawString(72, 720, "Meridian Freight Company")
    page.line(72, 712, 540, 712)
    writer.text(page, 682)
    page.showPage()
    writer.text(page, 720, size=10, paragraphs=8)
    page.save()


def make_report(path, pages):
    page, writer = canvas.Canvas(str(path), pagesize=letter, invariant=True), Writer(8)
    for number in range(pages):
        page.setFont("Helvetica-Bold", 14)
        page.drawString(72, 740, "Section %d" % (number + 1))
        writer.text(page, 712, bottom=330, paragraphs=3)
        (table, bars, more)[number % 3](page, writer)
        page.setFont("Times-Roman", 9)
        page.drawCentredString(WIDTH / 2, 40, "- %d -" % (number + 1))
        page.showPage()
    page.save()


def table(page, writer):
    left, bottom, across, down = 72, 120, 92, 18
    page.setLineWidth(0.5)
    for row in range(11):
        page.line(left, bottom + row * down, left + 5 * across, bottom + row * down)
    for column in range(6):
        page.line(left + column * across, bottom, left + column * across, bottom + 10 * down)
    page.setFont("Helvetica", 9)
    for row in range(10):
        for column in range(5):
            figure = str(writer.random.randint(100, 99999))
            page.drawString(left + 4 + column * across, bottom + 5 + row * down, figure)
    page.setFillGray(0.85)
    page.rect(left, bottom + 10 * down, 5 * across, down, fill=1)
    page.setFillGray(0)


def bars(page, writer):
    for bar in range(8):
        page.setFillColorRGB(0.2 + 0.08 * bar, 0.4, 0.8 - 0.07 * bar)
        page.rect(90 + bar * 52, 110, 36, writer.random.randint(20, 150), fill=1, stroke=1)
    page.setFillGray(0)
    page.line(80, 110, 520, 110)
    page.line(80, 110, 80, 280)


def more(page, writer):
    writer.text(page, 320, paragraphs=3)


def make_form(path):
    page, writer = canvas.Canvas(str(path), pagesize=letter, invariant=True), Writer(9)
    for part in range(4):
        page.setFont("Helvetica-Bold", 13)
        page.drawString(60, 750, "Application form, part %d" % (part + 1))
        for row in range(22):
            top = 720 - row * 30
            page.setLineWidth(0.25 if row % 2 else 0.5)
            page.rect(60, top - 24, 492, 28)
            page.line(306, top - 24, 306, top + 4)
            page.setFont("Helvetica", 6)
            page.drawString(64, top - 4, writer.sentence()[:60])
            if part == 0 and row < 8:
                field = {"name": "field%d" % row, "value": "Value number %d" % row, "fontSize": 9, "borderWidth": 0}
                page.acroForm.textfield(x=70, y=top - 22, width=180, height=15, **field)
            for box in range(6):
                page.rect(320 + box * 20, top - 18, 8, 8)
        page.showPage()
    page.save()


def photograph():
    """Draws soft tones with some noise, like an abstract photograph."""
    x, y = numpy.meshgrid(numpy.linspace(0, 1, 1500), numpy.linspace(0, 1, 1100))
    noise = numpy.random.default_rng(1).normal(size=x.shape)
    tones = (128 + 90 * numpy.sin(8 * x + 3 * numpy.cos(5 * y)) * numpy.cos(6 * y) + 25 * noise).clip(0, 255)
    return Image.fromarray(numpy.stack([tones, tones * 0.8 + 30, 255 - tones], -1).clip(0, 255).astype("u1"))


def make_photo(path, picture):
    page = canvas.Canvas(str(path), pagesize=letter, invariant=True)
    page.drawImage(str(picture), 72, 300, 468, 343)
    page.setFont("Times-Roman", 12)
    page.drawString(72, 280, "Figure 1. A photograph with soft tones.")
    Writer(10).text(page, 260, paragraphs=2)
    page.save()


def make_scan(path, letter_path, picture):
    """Renders a page as scanned at 300 dots per inch: askew, soft and noisy, on paper that is not white."""
    command = ["pdftoppm", "-r", "300", "-gray", "-f", "1", "-l", "1", "-singlefile", str(letter_path)]
    subprocess.run([*command, str(picture.with_suffix(""))], check=True)
    page = Image.open(picture.with_suffix(".pgm"))
    page = page.rotate(0.7, fillcolor=255, resample=Image.BICUBIC).filter(ImageFilter.GaussianBlur(1.1))
    ink = numpy.asarray(page).astype(float) / 255
    height, width = ink.shape
    paper = 215 + 12 * numpy.linspace(0, 1, width)[None, :] - 10 * numpy.linspace(0, 1, height)[:, None]
    noise = numpy.random.default_rng(2).normal(size=ink.shape) * 4
    scanned = (40 + ink * (paper - 40) + noise).clip(0, 255).astype("u1")
    Image.fromarray(scanned).save(picture, quality=80, dpi=(300, 300))
    page = canvas.Canvas(str(path), pagesize=letter, invariant=True)
    page.drawImage(str(picture), 0, 0, WIDTH, HEIGHT)
    page.save()


def make_images(path, picture, scratch):
    page = canvas.Canvas(str(path), pagesize=letter, invariant=True)
    for number in range(6):
        turned = scratch / ("images%d.%s" % (number, "png" if number % 3 == 0 else "jpg"))
        Image.open(picture).rotate(number * 7).convert("L" if number % 2 else "RGB").save(turned)
        page.drawImage(str(turned), 36, 36, 540, 720)
        page.showPage()
    page.save()


def make_chart(path, picture):
    """Draws a chart as a picture: bars and a curve on light grey, as plotting programs draw them."""
    chart = Image.new("RGB", (1200, 900), "white")
    draw = ImageDraw.Draw(chart)
    draw.rectangle((120, 60, 1140, 780), fill=(234, 234, 242))
    for line in range(8):
        draw.line((120, 60 + line * 103, 1140, 60 + line * 103), fill="white", width=3)
    for bar, color in enumerate([(76, 114, 176), (221, 132, 82), (85, 168, 104), (196, 78, 82), (204, 204, 204)]):
        draw.rectangle((190 + bar * 190, 700 - bar * 120, 310 + bar * 190, 780), fill=color)
    draw.line([(120 + x, 420 + 250 * numpy.sin(x / 160)) for x in range(0, 1020, 5)], fill=(60, 60, 60), width=4)
    chart.save(picture)
    page = canvas.Canvas(str(path), pagesize=letter, invariant=True)
    page.drawImage(str(picture), 36, 250, 540, 405)
    page.setFont("Times-Roman", 12)
    page.drawString(72, 230, "Figure 2. A chart before a light grey.")
    Writer(11).text(page, 200, paragraphs=1)
    page.save()


def make_tinted(path):
    """Draws a form with tinted rows and boxes."""
    page, writer = canvas.Canvas(str(path), pagesize=letter, invariant=True), Writer(12)
    page.setFont("Helvetica-Bold", 14)
    page.drawString(60, 750, "Claim for expenses")
    for row in range(22):
        top = 720 - row * 30
        page.setFillGray((0.93, 0.8)[row % 2])
        page.rect(60, top - 24, 492, 28, fill=1, stroke=0)
        page.setFillGray(1)
        page.rect(330, top - 20, 210, 20, fill=1, stroke=0)
        page.setFillGray(0)
        page.setFont("Helvetica", 9)
        page.drawString(66, top - 14, writer.sentence()[:44])
    page.save()


def make_hairlines(path):
    page = canvas.Canvas(str(path), pagesize=letter, invariant=True)
    for line in range(48):
        page.setLineWidth(LINE_WIDTHS[line % 16])
        page.line(72, 740 - line * 7.37, 300, 740 - line * 7.37)
    for line in range(64):
        page.setLineWidth(LINE_WIDTHS[line % 16])
        page.line(330 + line * 3.83, 740, 330 + line * 3.83, 400)
    page.save()


def main():
    folder, small = Path(sys.argv[1]), "--small" in sys.argv[2:]
    scratch = folder / "parts"
    scratch.mkdir(parents=True, exist_ok=True)
    picture = scratch / "photo.jpg"
    photograph().save(picture, quality=90)
    make_letter(folder / "letter.pdf")
    make_report(folder / "report.pdf", 6 if small else 95)
    make_form(folder / "form.pdf")
    make_photo(folder / "photo.pdf", picture)
    make_scan(folder / "scan.pdf", folder / "letter.pdf", scratch / "scan.jpg")
    make_chart(folder / "chart.pdf", scratch / "chart.png")
    make_tinted(folder / "tinted.pdf")
    make_hairlines(folder / "hairlines.pdf")
    if not small:
        make_images(folder / "images.pdf", picture, scratch)


if __name__ == "__main__":
    main()
