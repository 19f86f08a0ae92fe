#!/usr/bin/env python3
"""Prints one fact about the project, for the scripts that make packages: name, version, description, license, repository or owner.

Cargo.toml is the only source of these facts.

    python3 packages/project.py version
    python3 packages/project.py fill < FILE        prints a template with @version@, @repository@, … replaced
    python3 packages/project.py publishable        fails while Cargo.toml names no real owner
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
#: The owner that Cargo.toml names until the project has one. Nothing is published under it.
PLACEHOLDER = "OWNER"


def facts():
    """Returns the facts by name, as Cargo reads them."""
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    package = next(package for package in metadata["packages"] if package["name"] == "fauxfax")
    named = {name: package[name] for name in ("name", "version", "description", "license", "repository")}
    named["owner"] = re.fullmatch(r"https://github\.com/([^/]+)/[^/]+", package["repository"])[1]
    return named


def fill(text, known):
    """Replaces each @name@ of lower-case letters with its fact. An unknown name is a KeyError."""
    return re.sub(r"@([a-z]+)@", lambda found: known[found[1]], text)


def main(arguments):
    known = facts()
    if arguments == ["fill"]:
        sys.stdout.write(fill(sys.stdin.read(), known))
    elif arguments == ["publishable"]:
        if known["owner"] == PLACEHOLDER:
            sys.exit(f"Cargo.toml still names {known['repository']} as the repository; write the real one there before a release")
    elif len(arguments) == 1 and arguments[0] in known:
        print(known[arguments[0]])
    else:
        sys.exit(f"usage: packages/project.py {' | '.join(known)} | fill | publishable")


if __name__ == "__main__":
    main(sys.argv[1:])
