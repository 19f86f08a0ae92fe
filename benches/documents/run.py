#!/usr/bin/env python3
"""Fax pages from documents: CPU time of `fauxfax convert` beside Ghostscript's tiffg4, and of the coder beside tiffcp.

    benches/documents/run.py FAUXFAX FOLDER [RUNS]

FOLDER has PDFs; each is converted RUNS times (5) by each program in turn, and the least CPU time of a whole process
counts. Needs gs and tiffcp."""

import math
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path


def cpu(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def least(runs, *commands):
    times = [[cpu(command) for command in commands] for _ in range(runs)]
    return [min(column) for column in zip(*times)]


def pages(path):
    return subprocess.run(["tiffinfo", path], stdout=subprocess.PIPE, check=True).stdout.count(b"TIFF Directory")


def main():
    fauxfax, folder = sys.argv[1], Path(sys.argv[2])
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    ratios = []
    with tempfile.TemporaryDirectory() as scratch:
        own, other, raw = (os.path.join(scratch, name) for name in ("own.tiff", "gs.tiff", "raw.tiff"))
        print("| document | pages | fauxfax s | gs s | ratio | TIFF bytes, fauxfax / gs |\n|---|---|---|---|---|---|")
        for document in sorted(folder.glob("*.pdf")):
            convert = [fauxfax, "convert", "--quiet", str(document), own]
            gs = ["gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=tiffg4", "-r204x196", "-o", other, str(document)]
            ours, theirs = least(runs, convert, gs)
            ratios.append(theirs / ours)
            sizes = f"{os.path.getsize(own):,} / {os.path.getsize(other):,}"
            print(f"| {document.stem} | {pages(own)} | {ours:.3f} | {theirs:.3f} | {theirs / ours:.2f} | {sizes} |")
        print(f"\ngeometric mean {math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f}, least {min(ratios):.2f}")


if __name__ == "__main__":
    main()
