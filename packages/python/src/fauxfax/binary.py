"""Finds the fauxfax binary, which the wheel installs among the scripts of its Python environment."""

from __future__ import annotations

import errno
import os
import shlex
import shutil
import sys
import sysconfig
from pathlib import Path

from .errors import BinaryNotFoundError

_REINSTALL = "install the package again with `pip install --force-reinstall fauxfax`"
_NAME = "fauxfax.exe" if sys.platform == "win32" else "fauxfax"


def find_binary() -> str:
    """Returns the path of the binary: the one that FAUXFAX_BIN names, or else the one that was installed with this package.

    A binary elsewhere on PATH is the last resort, because it may be of another version.
    """
    named = os.environ.get("FAUXFAX_BIN")
    if named:
        # Accepts only an executable path, or the name of a program on PATH: a typo must not lead to another binary.
        found = shutil.which(named)
        if found is None and os.path.isfile(named):
            raise BinaryNotFoundError(f"FAUXFAX_BIN names {named!r}, which is not executable; {_chmod(named)}")
        if found is None:
            raise BinaryNotFoundError(
                f"FAUXFAX_BIN names {named!r}, which is not a program; correct the variable, or unset it to use the binary that "
                "was installed with this package"
            )
        return found
    folders = _folders()
    for folder in folders:
        path = os.path.join(folder, _NAME)
        if os.path.isfile(path):
            if not os.access(path, os.X_OK):
                raise BinaryNotFoundError(f"the program {path} is not executable; {_chmod(path)}, or {_REINSTALL}")
            return path
    found = shutil.which(_NAME)
    if found is None:
        raise BinaryNotFoundError(
            f"the program {_NAME} is in none of the folders {', '.join(folders)}, and not on PATH; {_REINSTALL}, or set FAUXFAX_BIN to "
            "the path of a binary"
        )
    return found


def damaged(path: str) -> str:
    """Says what to do about a program that crashes."""
    return f"if {path} is damaged, {_REINSTALL}"


def unusable(path: str, error: OSError) -> str:
    """Says why a program can't be run, and what to do."""
    if error.errno == errno.ENOEXEC:
        return f"{path} is not a program of this machine, or is damaged; {_REINSTALL}"
    return f"{path} can't be run ({error.strerror or error}); correct the path if you have set it, or {_REINSTALL}"


def _chmod(path: str) -> str:
    return f"run `chmod +x {shlex.quote(path)}`"


def _folders() -> list[str]:
    """Lists the folders into which installers put a package's scripts."""
    folders = [
        sysconfig.get_path("scripts"),
        # A virtual environment that sees the system's packages.
        sysconfig.get_path("scripts", vars={"base": sys.base_prefix}),
        # pip install --user
        sysconfig.get_path("scripts", scheme=_user_scheme()),
        # pip install --target
        str(Path(__file__).resolve().parent.parent / "bin"),
    ]
    return list(dict.fromkeys(folders))


def _user_scheme() -> str:
    if sys.version_info >= (3, 10):
        return sysconfig.get_preferred_scheme("user")  # novm: guarded by the version
    if sys.platform == "darwin" and sys._framework:
        return "osx_framework_user"
    return "nt_user" if sys.platform == "win32" else "posix_user"
