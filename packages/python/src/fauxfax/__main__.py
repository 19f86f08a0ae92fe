"""`python -m fauxfax …` runs the binary."""

from __future__ import annotations

import os
import subprocess
import sys

from .binary import find_binary
from .errors import BinaryNotFoundError


def main() -> int:
    """Replaces this process by the binary. Windows can't do that, so there it runs as a child, whose status is returned."""
    try:
        path = find_binary()
    except BinaryNotFoundError as error:
        print(f"fauxfax: {error}", file=sys.stderr)
        return 1
    command = [path, *sys.argv[1:]]
    if sys.platform == "win32":
        try:
            return subprocess.run(command, check=False).returncode
        except KeyboardInterrupt:
            # The child has received Ctrl-C too.
            return 130
    os.execv(path, command)


if __name__ == "__main__":
    sys.exit(main())
