"""`python -m fauxfax …` runs the binary."""

from __future__ import annotations

import os
import subprocess
import sys

from .binary import find_binary, unusable
from .errors import BinaryNotFoundError


def main() -> int:
    """Replaces this process with the binary. Windows can't do that, so there it runs as a child, whose status is returned."""
    try:
        path = find_binary()
    except BinaryNotFoundError as error:
        print(f"fauxfax: {error}", file=sys.stderr)
        return 1
    command = [path, *sys.argv[1:]]
    try:
        if sys.platform == "win32":
            return subprocess.run(command, check=False).returncode
        os.execv(path, command)
    except KeyboardInterrupt:
        # The child has received Ctrl-C too.
        return 130
    except OSError as error:
        print(f"fauxfax: {unusable(path, error)}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
