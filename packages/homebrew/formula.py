#!/usr/bin/env python3
"""Prints the Homebrew formula of a release, for a tap.

    python3 packages/homebrew/formula.py SHA256SUMS

The checksums are those of the release's archives, as packages/release/release.py writes them.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import project  # noqa: E402

#: For each name in the template, the archive whose checksum it stands for.
ARCHIVES = {
    "macarm": "fauxfax-aarch64-apple-darwin.tar.gz",
    "macintel": "fauxfax-x86_64-apple-darwin.tar.gz",
    "linuxarm": "fauxfax-aarch64-unknown-linux-gnu.tar.gz",
    "linuxintel": "fauxfax-x86_64-unknown-linux-gnu.tar.gz",
}


def main(sums):
    lines = pathlib.Path(sums).read_text(encoding="utf-8").splitlines()
    sum_of = {name: checksum for checksum, name in (line.split() for line in lines)}
    missing = [archive for archive in ARCHIVES.values() if archive not in sum_of]
    if missing:
        sys.exit(f"{sums} lacks {', '.join(missing)}; the formula needs all of them")
    known = project.facts() | {name: sum_of[archive] for name, archive in ARCHIVES.items()}
    sys.stdout.write(project.fill((HERE / "fauxfax.rb.in").read_text(encoding="utf-8"), known))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: packages/homebrew/formula.py SHA256SUMS")
    main(sys.argv[1])
