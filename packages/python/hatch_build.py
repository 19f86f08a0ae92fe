"""Makes the wheel from a binary that is already built, which the environment variable FAUXFAX_BIN names.

Version, description, license and URLs come from Cargo.toml through packages/project.py. The wheel's platform is read from the
binary, so a wheel can't be labelled with a platform that its binary doesn't run on.
"""

from __future__ import annotations

import importlib.util
import os
import struct
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent / "project.py"
#: The number of bytes read from a binary, which is enough for its headers.
HEADER_BYTES_MAX = 64 * 1024

# Tags of a static Linux binary. It needs nothing but the kernel, so it also runs where musl is the C library.
STATIC_LINUX = "manylinux_2_17_{0}.manylinux2014_{0}.musllinux_1_1_{0}"
# Processors, as each format numbers them and as each platform's tags name them.
ELF_PROCESSORS = {0x3E: "x86_64", 0xB7: "aarch64"}
MACHO_PROCESSORS = {0x0100_0007: "x86_64", 0x0100_000C: "arm64"}
PE_PROCESSORS = {0x8664: "win_amd64", 0xAA64: "win_arm64"}
# The entry of an ELF program header that names the dynamic loader.
PT_INTERP = 3
# The two Mach-O load commands that name the oldest system version, with its offset in each.
OLDEST_MACOS = {0x24: 8, 0x32: 12}


class UnusableBinary(Exception):
    """The binary is missing, or its platform has no tag. The message says what to do."""


def binary() -> Path:
    """Returns the binary that the wheel is made from."""
    named = os.environ.get("FAUXFAX_BIN")
    if not named:
        raise UnusableBinary(
            "a wheel of fauxfax is made from a binary that is already built: set FAUXFAX_BIN to its path. In a checkout, "
            "`bash tests/packages.sh python` builds the binary and then the wheel."
        )
    path = Path(named).resolve()
    if not path.is_file():
        raise UnusableBinary(f"FAUXFAX_BIN names {path}, which is not a file")
    return path


def platform_tag(head: bytes) -> str:
    """Returns the platform's tag for a binary that begins with these bytes."""
    if head[:4] == b"\x7fELF":
        return elf_tag(head)
    if head[:4] == b"\xcf\xfa\xed\xfe":
        return macho_tag(head)
    if head[:2] == b"MZ":
        return pe_tag(head)
    raise UnusableBinary("FAUXFAX_BIN is neither an ELF, a Mach-O nor a Windows program")


def elf_tag(head: bytes) -> str:
    (machine,) = struct.unpack_from("<H", head, 18)
    processor = known(ELF_PROCESSORS, machine)
    (table,) = struct.unpack_from("<Q", head, 32)
    size, count = struct.unpack_from("<HH", head, 54)
    kinds = [struct.unpack_from("<I", head, table + at * size)[0] for at in range(count)]
    if PT_INTERP in kinds:
        # The binary needs a C library like that of the machine that built it. Its wheel can be installed, but PyPI refuses the tag.
        return f"linux_{processor}"
    return STATIC_LINUX.format(processor)


def macho_tag(head: bytes) -> str:
    (machine,) = struct.unpack_from("<I", head, 4)
    (count,) = struct.unpack_from("<I", head, 16)
    at = 32
    for _ in range(count):
        command, size = struct.unpack_from("<II", head, at)
        if command in OLDEST_MACOS:
            (version,) = struct.unpack_from("<I", head, at + OLDEST_MACOS[command])
            major, minor = version >> 16, version >> 8 & 0xFF
            # From 11 on, tags name the major version only.
            return f"macosx_{major}_{minor if major < 11 else 0}_{known(MACHO_PROCESSORS, machine)}"
        at += size
    raise UnusableBinary("FAUXFAX_BIN doesn't say which version of macOS it needs")


def pe_tag(head: bytes) -> str:
    (at,) = struct.unpack_from("<I", head, 0x3C)
    (machine,) = struct.unpack_from("<H", head, at + 4)
    return known(PE_PROCESSORS, machine)


def known(processors: dict[int, str], machine: int) -> str:
    if machine not in processors:
        raise UnusableBinary(f"FAUXFAX_BIN is for a processor that has no wheel (number {machine:#x}); hatch_build.py lists them")
    return processors[machine]


class WheelHook(BuildHookInterface[Any]):
    """Puts the binary among the wheel's scripts, which installers put on PATH."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "sdist":
            raise UnusableBinary(
                "fauxfax has no source distribution on PyPI, because a wheel is made from the Rust binary: build a wheel with "
                "`python -m build --wheel`, or the program from its repository with cargo"
            )
        if version == "editable":
            # An editable installation contains no binary: it runs the one that FAUXFAX_BIN names, or that is on PATH.
            return
        path = binary()
        with path.open("rb") as file:
            tag = platform_tag(file.read(HEADER_BYTES_MAX))
        build_data["tag"] = f"py3-none-{tag}"
        build_data["pure_python"] = False
        build_data["shared_scripts"][str(path)] = "fauxfax.exe" if tag.startswith("win") else "fauxfax"


class FactsHook(MetadataHookInterface):
    """Takes version, description, license and URLs of the package from Cargo.toml, and fills them into its README."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        project = load_project()
        facts = project.facts()
        repository = facts["repository"]
        metadata["version"] = facts["version"]
        metadata["description"] = facts["description"]
        metadata["license"] = facts["license"]
        readme = (HERE / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": project.fill(readme, facts)}
        metadata["urls"] = {
            "Repository": repository,
            "Documentation": f"{repository}/tree/main/docs",
            "Changelog": f"{repository}/blob/main/CHANGELOG.md",
            "Issues": f"{repository}/issues",
        }


def load_project() -> Any:
    """Returns packages/project.py as a module."""
    if not PROJECT.is_file():
        raise UnusableBinary(f"{PROJECT} is missing: a wheel is made in a checkout of the whole repository")
    spec = importlib.util.spec_from_file_location("project", PROJECT)
    if spec is None or spec.loader is None:
        raise UnusableBinary(f"{PROJECT} can't be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
