#!/usr/bin/env python3
"""Decides whether a tag may be released, prints the notes of a release, and writes its checksums.

    python3 packages/release/release.py check v0.1.0     fails unless everything is ready for this tag
    python3 packages/release/release.py notes v0.1.0     prints the changelog's section
    python3 packages/release/release.py checksums FOLDER writes SHA256SUMS of all files there

The version is stated only in Cargo.toml. CHANGELOG.md has a section `## 0.1.0` or `## 0.1.0 (2026-01-31)` for each release.
"""

import hashlib
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "packages"))
import project  # noqa: E402

SUMS = "SHA256SUMS"
#: How files name the repository and its pages until it has an owner.
PLACEHOLDERS = (f"{project.PLACEHOLDER}/fauxfax", f"{project.PLACEHOLDER}.github.io")


def check(tag):
    """Exits with a reason unless the tag may be released."""
    # Exits if Cargo.toml names no owner yet.
    project.main(["publishable"])
    named(tag)
    left = leftover()
    if left:
        sys.exit(f"these files still name {' or '.join(PLACEHOLDERS)}; write the real owner there: {', '.join(left)}")
    notes(tag)


def leftover():
    """Returns the files, such as documentation, that still name the placeholder instead of the repository's owner."""
    patterns = [word for placeholder in PLACEHOLDERS for word in ("-e", placeholder)]
    found = subprocess.run(["git", "grep", "-lF", *patterns], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return found.stdout.split()


def named(tag):
    """Returns the version in Cargo.toml, which the tag must name."""
    version = project.facts()["version"]
    if tag != f"v{version}":
        sys.exit(f"the tag is {tag}, but Cargo.toml names the version {version}; tag v{version}, or change the version first")
    return version


def notes(tag, changelog=ROOT / "CHANGELOG.md"):
    """Returns the section of the changelog about the tag's version."""
    version = named(tag)
    heading = re.compile(rf"^## {re.escape(version)}(?: \(\d{{4}}-\d\d-\d\d\))?$", re.MULTILINE)
    text = changelog.read_text(encoding="utf-8")
    found = heading.search(text)
    if not found:
        sys.exit(f"{changelog.name} has no section '## {version}'; rename '## Unreleased' to it")
    section = re.split(r"^## ", text[found.end():], maxsplit=1, flags=re.MULTILINE)[0].strip()
    if not section:
        sys.exit(f"the section '## {version}' of {changelog.name} is empty")
    return section


def checksums(folder):
    """Writes the checksums of a folder's files, as `sha256sum --check` reads them."""
    files = sorted(path for path in pathlib.Path(folder).iterdir() if path.is_file() and path.name != SUMS)
    if not files:
        sys.exit(f"{folder} has no files")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    # Bytes, since sha256sum would take a carriage return for a part of the name.
    (pathlib.Path(folder) / SUMS).write_bytes("".join(lines).encode())


#: The calls of this script by name: each takes one argument, and prints what it returns.
CALLS = {"check": check, "notes": notes, "checksums": checksums}


def main(arguments):
    if len(arguments) != 2 or arguments[0] not in CALLS:
        sys.exit("usage: packages/release/release.py check TAG | notes TAG | checksums FOLDER")
    said = CALLS[arguments[0]](arguments[1])
    if said is not None:
        print(said)


if __name__ == "__main__":
    main(sys.argv[1:])
