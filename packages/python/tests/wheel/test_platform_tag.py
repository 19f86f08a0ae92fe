"""Tests the platform tag of a wheel, which is read from its binary. The binaries here consist of headers only."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import hatch_build


def elf(machine: int, *kinds: int) -> bytes:
    header = struct.pack("<4s14xH12xQ14xHH6x", b"\x7fELF", machine, 64, 56, len(kinds))
    return header + b"".join(struct.pack("<I52x", kind) for kind in kinds)


def macho(machine: int, *commands: bytes) -> bytes:
    return struct.pack("<4sI8xI12x", b"\xcf\xfa\xed\xfe", machine, len(commands)) + b"".join(commands)


def windows(machine: int) -> bytes:
    return b"MZ" + b"\0" * 58 + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<H", machine)


LOAD, INTERPRETER = 1, 3
UUID_COMMAND = struct.pack("<II16x", 0x1B, 24)
BUILD_VERSION_11_2 = struct.pack("<IIII8x", 0x32, 24, 1, 11 << 16 | 2 << 8)
VERSION_MIN_10_12 = struct.pack("<III4x", 0x24, 16, 10 << 16 | 12 << 8)


@pytest.mark.parametrize(
    ("head", "tag"),
    [
        (elf(0x3E, LOAD, LOAD), "manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64"),
        (elf(0xB7, LOAD), "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64"),
        (elf(0x3E, LOAD, INTERPRETER), "linux_x86_64"),
        (macho(0x0100_000C, UUID_COMMAND, BUILD_VERSION_11_2), "macosx_11_0_arm64"),
        (macho(0x0100_0007, UUID_COMMAND, VERSION_MIN_10_12), "macosx_10_12_x86_64"),
        (windows(0x8664), "win_amd64"),
        (windows(0xAA64), "win_arm64"),
    ],
)
def test_the_tag_says_where_the_binary_runs(head: bytes, tag: str) -> None:
    assert hatch_build.platform_tag(head) == tag


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"#!/bin/sh\n", "neither an ELF, a Mach-O nor a Windows program"),
        (elf(0x28, LOAD), "processor that has no wheel"),
        (macho(0x0100_000C, UUID_COMMAND), "which version of macOS"),
    ],
)
def test_a_binary_without_a_tag_is_refused(head: bytes, why: str) -> None:
    with pytest.raises(hatch_build.UnusableBinary, match=why):
        hatch_build.platform_tag(head)


def test_a_wheel_needs_a_binary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FAUXFAX_BIN", raising=False)
    with pytest.raises(hatch_build.UnusableBinary, match="set FAUXFAX_BIN to its path"):
        hatch_build.binary()
    monkeypatch.setenv("FAUXFAX_BIN", str(tmp_path))
    with pytest.raises(hatch_build.UnusableBinary, match="which is not a file"):
        hatch_build.binary()
