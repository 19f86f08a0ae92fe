"""The preprocessor of docs/book.toml. It makes pages that are written for GitHub fit the site:

- The pages at the top of the repository, such as SECURITY.md, become pages of the site: security.html.
- Relative links that lead to a file outside of the site lead to that file in the repository.
- The marks that say how a code block is tested (tests/sdk/blocks.py) are removed.

mdBook calls it with the context and the book as JSON on standard input, and reads the book from standard output.
"""

import json
import os
import posixpath
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w-]*)\S*(?: .*)?$")
#: The address of a link or an image in Markdown: `](address)` or `]: address`. The first alternative matches code within a
#: line, which must stay as it is.
LINK = re.compile(r"(`+)(?:(?!\1).)+\1|(?P<before>\]\(<?|^\[[^\]]+\]: )(?P<address>[^)\s>]+)")
#: The endings of those files in docs that mdBook copies to the site as they are, and that a browser shows.
SHOWN = {".png", ".webp"}


def main() -> None:
    if sys.argv[1:2] == ["supports"]:
        # mdBook asks whether a renderer is supported. All are, and exit status 0 says so.
        return
    _context, book = json.load(sys.stdin)
    chapters = list(chapters_of(book["items"]))
    # Where each page is on the site, by its path in the repository. Both are relative to their roots.
    pages = {repository_path(chapter): site_path(chapter) for chapter in chapters}
    repository = subprocess.run(
        [sys.executable, ROOT / "packages/project.py", "repository"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    for chapter in chapters:
        own = repository_path(chapter)
        chapter["path"] = pages[own]
        chapter["content"] = rewritten(chapter["content"], own, pages, repository)
    json.dump(book, sys.stdout)


def chapters_of(items):
    """Returns all chapters that have a page."""
    for item in items:
        chapter = item.get("Chapter") if isinstance(item, dict) else None
        if chapter is not None:
            if chapter["path"] is not None:
                yield chapter
            yield from chapters_of(chapter["sub_items"])


def repository_path(chapter) -> str:
    return posixpath.normpath(posixpath.join("docs", chapter["source_path"]))


def site_path(chapter) -> str:
    """Returns a page's path on the site: its path within docs or, for a page at the top of the repository, its name in
    lower case."""
    path = repository_path(chapter)
    path = path.removeprefix("docs/") if path.startswith("docs/") else posixpath.basename(path).lower()
    return re.sub(r"\bREADME\.md$", "index.md", path)


def rewritten(text: str, own: str, pages: dict, repository: str) -> str:
    """Rewrites the links and the fences of a page, whose path in the repository is `own`."""
    lines, in_block = [], False
    for line in text.splitlines(keepends=True):
        fence = FENCE.match(line.rstrip("\n"))
        if fence:
            if not in_block:
                line = f"{fence['indent']}```{fence['language']}\n"
            in_block = not in_block
        elif not in_block:
            line = LINK.sub(lambda link: relinked(link, own, pages, repository), line)
        lines.append(line)
    return "".join(lines)


def relinked(link: re.Match, own: str, pages: dict, repository: str) -> str:
    address = link["address"]
    if address is None or re.match(r"[a-z+]+:|#", address):
        return link[0]
    path, _, anchor = address.partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(own), path))
    anchor = anchor and f"#{anchor}"
    if target in pages:
        return f"{link['before']}{posixpath.relpath(pages[target], posixpath.dirname(pages[own]) or '.')}{anchor}"
    if target.startswith("docs/") and posixpath.splitext(target)[1] in SHOWN:
        shown = posixpath.relpath(target.removeprefix("docs/"), posixpath.dirname(pages[own]) or ".")
        return f"{link['before']}{shown}"
    if not (ROOT / target).exists():
        sys.exit(f"{own}: the link {address} leads nowhere: {os.path.relpath(ROOT / target)} doesn't exist")
    kind = "tree" if (ROOT / target).is_dir() else "blob"
    return f"{link['before']}{repository}/{kind}/HEAD/{target}{anchor}"


if __name__ == "__main__":
    main()
