#!/usr/bin/env python3
"""Measures the CPU time of `fauxfax convert` compared with Ghostscript's tiffg4, and of the coder compared with tiffcp.

    benches/documents/run.py FAUXFAX FOLDER [--runs N] [--coder BENCH]

FOLDER has PDFs (set.py makes them). Each is converted N times (5) by each program in turn, both on one thread, and
the least CPU time of a whole process counts. hairlines.pdf is converted, but not counted in the first mean, since it is a
test chart.
BENCH is the program that `cargo bench --bench coder --no-run` names; the time that it takes for all rounds after the
first is compared with the time that `tiffcp -c g4` takes in addition to that of `tiffcp -c none`. Needs Linux, gs, tiffcp
and tiffinfo."""

import argparse
import contextlib
import ctypes
import math
import os
import resource
import subprocess
import tempfile
from pathlib import Path

ROUNDS = 10


# A Linux option by which orphans of a child become children of this process, so that their CPU time is counted.
PR_SET_CHILD_SUBREAPER = 36


def cpu(command):
    """Returns the CPU seconds of a process and its children: `convert` draws in a child and doesn't wait for it."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def least(runs, *commands):
    """Runs the commands in turn and returns the least time of each."""
    times = [[cpu(command) for command in commands] for _ in range(runs)]
    return [min(column) for column in zip(*times)]


def pages(path):
    return subprocess.run(["tiffinfo", path], stdout=subprocess.PIPE, check=True).stdout.count(b"TIFF Directory")


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def convert(fauxfax, document, scratch, runs):
    """Prints a row of the table and returns the ratio."""
    own, other = (os.path.join(scratch, name) for name in ("own.tiff", "gs.tiff"))
    gs = ["gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=tiffg4", "-r204x196", "-o", other, str(document)]
    ours, theirs = least(runs, [fauxfax, "convert", "--quiet", str(document), own], gs)
    sizes = f"{os.path.getsize(own):,} / {os.path.getsize(other):,}"
    print(f"| {document.stem} | {pages(own)} | {ours:.3f} | {theirs:.3f} | {theirs / ours:.2f} | {sizes} |", flush=True)
    return theirs / ours


def code(bench, document, scratch, runs):
    own, raw, g4, none = (os.path.join(scratch, name) for name in ("own.tiff", "raw.tiff", "g4.tiff", "none.tiff"))
    subprocess.run(["tiffcp", "-c", "none", own, raw], check=True)
    once, often = ([bench, str(document), str(rounds)] for rounds in (1, 1 + ROUNDS))
    libtiff = (["tiffcp", "-c", kind, raw, to] for kind, to in (("g4", g4), ("none", none)))
    first, all_rounds, coded, copied = least(runs, once, often, *libtiff)
    ours, theirs = ((all_rounds - first) / ROUNDS, coded - copied)
    count = pages(own)
    each = f"{ours / count * 1000:.2f} | {theirs / count * 1000:.2f}"
    print(f"| {document.stem} | {count} | {each} | {theirs / ours:.2f} |", flush=True)
    return theirs / ours


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fauxfax")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--coder")
    options = parser.parse_args()
    documents = sorted(options.folder.glob("*.pdf"))
    with tempfile.TemporaryDirectory() as scratch:
        print("| document | pages | fauxfax s | gs s | ratio | TIFF bytes, fauxfax / gs |\n|---|---|---|---|---|---|")
        ratios = {each.stem: convert(options.fauxfax, each, scratch, options.runs) for each in documents}
        counted = [ratio for name, ratio in ratios.items() if name != "hairlines"]
        print(f"\ngeometric mean of {len(counted)} documents {mean(counted):.2f}, least {min(counted):.2f}")
        if options.coder:
            print("\n| document | pages | coder ms per page | libtiff ms per page | ratio |\n|---|---|---|---|---|")
            ratios = []
            for document in documents:
                own = os.path.join(scratch, "own.tiff")
                subprocess.run([options.fauxfax, "convert", "--quiet", str(document), own], check=True)
                ratios.append(code(options.coder, document, scratch, options.runs))
            print(f"\ngeometric mean {mean(ratios):.2f}, least {min(ratios):.2f}")


if __name__ == "__main__":
    main()
