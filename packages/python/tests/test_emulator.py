"""Tests how an emulator is started, found and stopped."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import fauxfax
from fauxfax.binary import find_binary


def test_an_emulator_stops_at_the_end_of_its_block() -> None:
    with fauxfax.Emulator.start(seed=3) as emulator:
        assert emulator.is_own
        assert emulator.health()["seed"] == 3
        assert emulator.default_account().number().phone_number == "+15005550006"
        assert emulator.output.startswith(("fauxfax ready", "20"))
    emulator.stop()
    with pytest.raises(fauxfax.EmulatorUnreachableError):
        emulator.health()


def test_an_emulator_ends_with_the_program_that_forgot_to_stop_it() -> None:
    program = "import fauxfax; print(fauxfax.Emulator.start().url)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    with pytest.raises(fauxfax.EmulatorUnreachableError):
        fauxfax.Emulator.at(ran.stdout.strip())


def test_the_same_seed_gives_the_same_accounts() -> None:
    sids = []
    for _ in range(2):
        with fauxfax.Emulator.start(seed=3) as emulator:
            account = emulator.account(numbers=["+15017122661"])
            sids.append((account.sid, account.auth_token, account.send("+15558675310").sid))
    assert sids[0] == sids[1]


def test_arguments_of_the_caller_have_precedence() -> None:
    with fauxfax.Emulator.start("--seed=4", "--pace", "50", "--log-format", "json", dialect="signalwire") as emulator:
        assert emulator.health()["seed"] == 4
        assert emulator.default_account().dialect == "signalwire"


def test_a_running_emulator_stays() -> None:
    with fauxfax.Emulator.start() as own:
        for url in (own.url, own.url + "/", own.url.rpartition("/")[2], own.url.rpartition(":")[2]):
            with fauxfax.Emulator.at(url) as running:
                assert (running.is_own, running.output) == (False, "")
                assert running.url == own.url
        sid = own.account().sid
        assert running.existing_account(sid).sid == sid
        assert sid in {account.sid for account in running.accounts()}


@pytest.mark.parametrize("given", ["argument", "flag", "variable"])
def test_a_control_token_is_passed_on(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = ["--control-token", "s3cret"] if given == "flag" else []
    env = {"FAUXFAX_CONTROL_TOKEN": "s3cret"} if given == "variable" else None
    with fauxfax.Emulator.start(*flags, control_token="s3cret" if given == "argument" else None, env=env) as emulator:
        emulator.account().wait_idle()
        assert fauxfax.Emulator.at(emulator.url, "s3cret").health()["status"] == "ok"
        monkeypatch.setenv("FAUXFAX_CONTROL_TOKEN", "s3cret")
        assert fauxfax.Emulator.at(emulator.url).health()["status"] == "ok"
        monkeypatch.delenv("FAUXFAX_CONTROL_TOKEN")
        with pytest.raises(fauxfax.ProblemError, match=r"control-token-needed.*pass control_token to Emulator\.at"):
            fauxfax.Emulator.at(emulator.url)


def test_what_is_set_for_other_emulators_is_not_inherited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "state.json"
    monkeypatch.setenv("FAUXFAX_STATE", str(state))
    monkeypatch.setenv("FAUXFAX_TLS_LISTEN", "nonsense")
    monkeypatch.setenv("FAUXFAX_CONTROL_TOKEN", "s3cret")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fauxfax.toml").write_text("nonsense")
    with fauxfax.Emulator.start() as emulator:
        monkeypatch.delenv("FAUXFAX_CONTROL_TOKEN")
        fauxfax.Emulator.at(emulator.url)
    assert not state.exists()
    with fauxfax.Emulator.start(env={"FAUXFAX_STATE": str(state)}):
        pass
    assert state.exists()


def test_a_configuration_file_is_read_if_it_is_named(tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text('dialect = "signalwire"\n')
    for arguments, config in (((), file), (("--config", str(file)), None), ((f"--config={file}",), None)):
        with fauxfax.Emulator.start(*arguments, config=config) as emulator:
            assert emulator.default_account().dialect == "signalwire"


def test_a_failed_start_shows_the_output() -> None:
    with pytest.raises(fauxfax.StartError, match="ended with status 2 before it was ready") as caught:
        fauxfax.Emulator.start("--colour")
    assert "--colour" in caught.value.output
    with pytest.raises(fauxfax.StartError, match="can't be run"):
        fauxfax.Emulator.start(binary="/nonexistent/fauxfax")


def test_accounts_are_created_with_options(emulator: fauxfax.Emulator) -> None:
    number = {"phone_number": "+15017122661", "voice_receive_mode": "fax", "voice_url": "http://localhost:3000/fax"}
    sid = "AC" + "9" * 32
    account = emulator.account(sid, "t0ken", numbers=[number, "+15017122662"], friendly_name="Desk", service="retired")
    assert (account.sid, account.auth_token, account.signing_key, account.dialect) == (sid, "t0ken", "t0ken", "twilio")
    assert account.number("+15017122661").fax_url == "http://localhost:3000/fax"
    assert account.console_url == f"{emulator.url}/console?account={sid}"
    with pytest.raises(fauxfax.RestError, match="34005"):
        account.send("+15558675310", from_="+15017122661")
    with pytest.raises(fauxfax.ProblemError, match="409, account-exists"):
        emulator.account(sid)
    account.delete()
    with pytest.raises(fauxfax.ProblemError, match="404, account-not-found"):
        emulator.existing_account(sid)
    with pytest.raises(fauxfax.ProblemError, match="unknown field"):
        emulator.account(friendly="Desk")


def test_the_module_runs_the_binary_and_passes_on_its_status() -> None:
    ran = subprocess.run([sys.executable, "-m", "fauxfax", "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("fauxfax ")
    assert subprocess.run([sys.executable, "-m", "fauxfax", "nonsense"], capture_output=True, check=False).returncode == 2
    missing = {**os.environ, "FAUXFAX_BIN": "/nonexistent/fauxfax"}
    ran = subprocess.run([sys.executable, "-m", "fauxfax"], capture_output=True, text=True, check=False, env=missing)
    assert ran.returncode == 1
    assert ran.stderr.startswith("fauxfax: FAUXFAX_BIN names '/nonexistent/fauxfax', which is not a program; correct")


def test_the_variable_comes_before_the_installed_binary_and_path_comes_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def program(folder: str) -> str:
        path = tmp_path / folder / "fauxfax"
        path.parent.mkdir()
        path.write_text("#!/bin/sh\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    named, installed, on_path = program("named"), program("scripts"), program("path")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("FAUXFAX_BIN", named)
    folder = tmp_path / "scripts"
    monkeypatch.setattr(sysconfig, "get_path", lambda *_, **__: str(folder))
    assert find_binary() == named
    monkeypatch.delenv("FAUXFAX_BIN")
    assert find_binary() == installed
    folder = tmp_path / "empty"
    assert find_binary() == on_path
    monkeypatch.setenv("PATH", "")
    with pytest.raises(fauxfax.BinaryNotFoundError, match=r"(?s)is in none of the folders .*pip install --force-reinstall"):
        find_binary()


def test_a_program_that_cannot_be_run_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "fauxfax"
    path.write_bytes(b"\x7fELF, but cut short")
    path.chmod(0o644)
    monkeypatch.setenv("FAUXFAX_BIN", str(path))
    with pytest.raises(fauxfax.BinaryNotFoundError, match=f"is not executable; run `chmod \\+x {path}`"):
        find_binary()
    path.chmod(0o755)
    with pytest.raises(fauxfax.StartError, match="is not a program of this machine, or is damaged; install the package again"):
        fauxfax.Emulator.start()
    ran = subprocess.run([sys.executable, "-m", "fauxfax"], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"fauxfax: {path} is not a program of this machine, or is damaged;")
    monkeypatch.delenv("FAUXFAX_BIN")
    monkeypatch.setattr(sysconfig, "get_path", lambda *_, **__: str(tmp_path))
    path.chmod(0o644)
    with pytest.raises(fauxfax.BinaryNotFoundError, match=r"is not executable; run `chmod .*, or install the package again"):
        find_binary()
