"""Tests that the process of an emulator ends with the program that started it, however that program ends."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import fauxfax
from fauxfax.binary import find_binary

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither process groups nor a shell that watches")

# Longer than an emulator takes to stop, even on a busy machine.
GONE_TIMEOUT_S = 20.0
# Far less than the time that the client gives an emulator to stop.
AT_ONCE_S = 10.0
STARTS = "import os, signal, sys, fauxfax; emulator = fauxfax.Emulator.start(); print(emulator.url, flush=True); "


def wait_until_gone(url: str) -> None:
    """Waits until no emulator responds at a URL any more."""
    deadline = time.monotonic() + GONE_TIMEOUT_S
    with contextlib.suppress(fauxfax.EmulatorUnreachableError):
        while time.monotonic() < deadline:
            fauxfax.Emulator.at(url)
            time.sleep(0.02)
        pytest.fail(f"an emulator is left over at {url}")


def script(folder: Path, text: str) -> str:
    """Writes an executable script that stands in for the program."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture(params=["the program", "a script that runs the program"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    program = find_binary()
    if request.param != "the program":
        program = script(tmp_path, f'{shlex.quote(program)} "$@"\nexit $?')
    return {**os.environ, "FAUXFAX_BIN": program}


@contextlib.contextmanager
def program(text: str, environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Runs a Python program that starts an emulator, and yields the program's process and the emulator's URL."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTS + text], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert urlsplit(url).port
        yield process, url


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_an_emulator_ends_with_a_program_that_is_killed(number: signal.Signals, environment: dict[str, str]) -> None:
    with program("sys.stdin.read()", environment) as (process, url):
        fauxfax.Emulator.at(url)
        process.send_signal(number)
    wait_until_gone(url)


@pytest.mark.parametrize("end", ["os._exit(3)", "os.abort()", "os.execv('/bin/true', ['true'])", ""])
def test_an_emulator_ends_with_a_program_however_it_exits(end: str, environment: dict[str, str]) -> None:
    with program(end, environment) as (_, url):
        pass
    wait_until_gone(url)


def test_a_fork_that_ends_does_not_stop_the_emulator_of_its_parent() -> None:
    text = "child = os.fork(); child and (os.waitpid(child, 0), print(emulator.health()['status']))"
    with program(text, dict(os.environ)) as (process, _):
        assert process.stdout is not None
        assert process.stdout.read() == "ok\n"


def test_an_emulator_in_a_script_is_stopped_at_once(environment: dict[str, str]) -> None:
    begun = time.monotonic()
    with fauxfax.Emulator.start(binary=environment["FAUXFAX_BIN"]) as emulator:
        url = emulator.url
    assert time.monotonic() - begun < AT_ONCE_S
    with pytest.raises(fauxfax.EmulatorUnreachableError):
        fauxfax.Emulator.at(url)


def test_a_child_that_holds_the_output_delays_neither_a_failed_start_nor_the_end(tmp_path: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(fauxfax.StartError, match="ended with status 4 before it was ready"):
        fauxfax.Emulator.start(binary=script(tmp_path, "sleep 100 &\nexit 4"))
    # This child has left the process group.
    held = f'setsid sleep 100 &\necho $! >{tmp_path}/pid\nexec {shlex.quote(find_binary())} "$@"'
    with fauxfax.Emulator.start(binary=script(tmp_path, held)):
        pass
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert time.monotonic() - begun < AT_ONCE_S


def test_a_program_that_crashes_is_reported_with_its_signal(tmp_path: Path) -> None:
    with pytest.raises(
        fauxfax.StartError, match=r"was ended by SIGSEGV before it was ready; if .* is damaged, install the package again"
    ):
        fauxfax.Emulator.start(binary=script(tmp_path, "kill -s SEGV $$"))


@pytest.mark.parametrize("killed", ["the worker", "the controller"])
def test_an_emulator_ends_with_a_worker_of_xdist(killed: str, pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    end = "os._exit(3)" if killed == "the worker" else "os.kill(os.getppid(), signal.SIGKILL); signal.pause()"
    pytester.makepyfile(
        f"""
        import os, pathlib, signal

        def test_ends_the_run(fauxfax):
            pathlib.Path("url").write_text(fauxfax.url)
            {end}
        """
    )
    command = [sys.executable, "-m", "pytest", "-n", "1", "--max-worker-restart", "0"]
    ended = subprocess.run(command, cwd=pytester.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    assert ended.returncode != 0
    wait_until_gone((pytester.path / "url").read_text())
