"""Tests the pytest plugin in separate runs of pytest."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

import fauxfax

RECEIVES = """
    def test_a_fax_is_received(fauxfax):
        fauxfax.number(twiml="<Response><Receive/></Response>")
        conversation = fauxfax.receive(pages=2)
        assert (conversation.outcome, conversation.num_pages) == ("received", 2)
"""
# A program that exists but isn't an emulator, so that only a test that starts it fails.
NO_EMULATOR = "/bin/false"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the options of this run away from those under test."""
    for name in ("FAUXFAX_URL", "FAUXFAX_CONTROL_TOKEN", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER"):
        monkeypatch.delenv(name, raising=False)


def sids(result: pytest.RunResult) -> list[str]:
    """Lists the SIDs that the tests printed."""
    return sorted(re.findall(r"SID=(\S+)", "\n".join(result.outlines)))


def test_each_test_has_an_account_with_a_number(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        RECEIVES
        + """
    def test_another_sees_nothing_of_it(fauxfax, fauxfax_emulator):
        assert fauxfax.faxes() == []
        assert fauxfax.url == fauxfax_emulator.url
        # The account of the other test has been removed.
        assert len(fauxfax_emulator.accounts()) == 2
    """
    )
    pytester.runpytest("-W", "error").assert_outcomes(passed=2)


def test_runs_are_the_same_unless_the_seed_differs(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("place", ["first", "second"])
        def test_sids(fauxfax, place):
            print("SID=%s/%s" % (fauxfax.sid, fauxfax.send("+15558675310").sid))
        """
    )
    first = sids(pytester.runpytest("-s"))
    assert len(set(first)) == 2
    # Neither other tests nor their order change anything.
    assert sids(pytester.runpytest("-s", "-k", "second"))[0] in first
    assert sids(pytester.runpytest("-s", "-p", "no:randomly")) == first
    other = sids(pytester.runpytest("-s", "--fauxfax-seed", "2"))
    assert not set(other) & set(first)
    pytester.makeini("[pytest]\nfauxfax_seed = 2")
    assert sids(pytester.runpytest("-s")) == other


def test_a_failed_test_shows_its_conversation(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        def test_fails(fauxfax):
            fauxfax.number(twiml="<Response><Reject/></Response>")
            fauxfax.rules.add({"to": "+1999*"}, outcome="busy")
            with pytest.raises(Exception):
                fauxfax.send("nonsense")
            assert fauxfax.receive(pages=2).outcome == "received"

        @pytest.fixture
        def broken(fauxfax):
            fauxfax.receive()
            raise RuntimeError("broken on purpose")

        def test_fails_while_it_is_set_up(broken):
            pass

        def test_passes(fauxfax):
            fauxfax.receive()
        """
    )
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, failed=1, errors=1)
    output = result.stdout.str()
    assert output.count(" fauxfax -") == 2
    assert re.search(r"### Fax `FX\w+`: .*\n", output)
    for part in ("not-answered", "POST /v1/Faxes → 400", "(error 21211)", "rule 1 never matched"):
        assert part in output


def test_a_failed_test_without_a_fax_says_so(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_fails(fauxfax):\n    assert False")
    pytester.runpytest().stdout.re_match_lines([r"Account AC\w{32} has no fax\."])


def test_an_emulator_that_has_died_is_explained(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_fails(fauxfax, fauxfax_emulator):
            fauxfax_emulator.stop()
            fauxfax.receive()
        """
    )
    result = pytester.runpytest()
    result.stdout.fnmatch_lines(["*no emulator responds at*", "The emulator's output ends with:", "*fauxfax ready http*"])


def test_a_running_emulator_is_used_and_keeps_the_accounts_of_failed_tests(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        RECEIVES
        + """
    def test_fails(fauxfax):
        fauxfax.receive()
        assert False
    """
    )
    with fauxfax.Emulator.start(control_token="s3cret") as emulator:
        for _ in range(2):
            command = [sys.executable, "-m", "pytest", "--fauxfax-url", emulator.url]
            environment = {**os.environ, "FAUXFAX_CONTROL_TOKEN": "s3cret", "FAUXFAX_BIN": NO_EMULATOR}
            ran = subprocess.run(command, cwd=pytester.path, env=environment, capture_output=True, text=True, check=False)
            assert "1 failed, 1 passed" in ran.stdout
            assert f"The account can be seen at {emulator.url}/console?account=AC" in ran.stdout
            # The default account and that of the failed test, which the second run replaced.
            assert len(emulator.accounts()) == 2


def test_nobody_at_the_url_of_the_environment_is_an_error(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAUXFAX_URL", "http://127.0.0.1:9")
    pytester.makepyfile(RECEIVES)
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["no emulator responds at http://127.0.0.1:9 *start one with `fauxfax serve`*"])


def test_a_missing_binary_is_explained_once_and_without_a_traceback(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAUXFAX_BIN", "/nonexistent/fauxfax")
    pytester.makepyfile(RECEIVES)
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["FAUXFAX_BIN names '/nonexistent/fauxfax', which is not a program; correct*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*During handling of the above exception*")


def test_a_run_that_does_not_use_it_starts_nothing_and_imports_no_client(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAUXFAX_BIN", NO_EMULATOR)
    pytester.makepyfile(
        """
        import sys

        def test_nothing():
            assert "fauxfax.pytest_plugin" in sys.modules
            assert [name for name in sys.modules if name.startswith("fauxfax.")] == ["fauxfax.pytest_plugin"]
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_markers_and_settings_change_the_account(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nfauxfax_dialect = signalwire\nfauxfax_timeout = 2.5\nfauxfax_args = --retired --callbacks final")
    pytester.makepyfile(
        """
        import pytest

        def test_the_dialect(fauxfax):
            assert (fauxfax.dialect, fauxfax.timeout, len(fauxfax.sid)) == ("signalwire", 2.5, 36)
            assert fauxfax.receive(action=fauxfax.url + "/livez").outcome == "received"

        @pytest.mark.fauxfax(dialect="twilio", numbers=["+15017122661"], auth_token="t0ken")
        class TestTwilio:
            def test_options(self, fauxfax):
                assert (fauxfax.dialect, fauxfax.auth_token) == ("twilio", "t0ken")
                assert fauxfax.number().phone_number == "+15017122661"
                # The ini setting has --retired.
                with pytest.raises(Exception, match="34005"):
                    fauxfax.send("+15558675310")

            @pytest.mark.fauxfax(numbers=[])
            def test_the_nearest_marker_has_precedence(self, fauxfax):
                assert fauxfax.numbers() == []
        """
    )
    pytester.runpytest("--strict-markers").assert_outcomes(passed=3)


def test_two_runs_with_the_same_seed_at_one_emulator_are_told_to_differ(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_its_account_is_replaced(fauxfax, fauxfax_emulator):
            # As the other run does.
            fauxfax_emulator.existing_account(fauxfax.sid).delete()
            fauxfax.receive()
        """
    )
    pytester.runpytest().stdout.fnmatch_lines(["*another run with the same seed uses this emulator*--fauxfax-seed*"])


@pytest.mark.parametrize(
    ("ini", "source", "told"),
    [
        ("fauxfax_args = --colour", "", "*ended with status 2 before it was ready*"),
        ("fauxfax_seed = one", "", "*fauxfax_seed = one: a seed is a whole number from 0 to 18446744073709551615*"),
        ("fauxfax_timeout = 5s", "", "*fauxfax_timeout = 5s: a timeout is a number of seconds, at most 600*"),
        ("", "@pytest.mark.fauxfax('signalwire')", "*the marker fauxfax takes keyword arguments only*"),
        ("", "@pytest.mark.fauxfax(dialekt='x')", "*unknown field*dialekt*"),
    ],
)
def test_a_wrong_setting_is_explained(pytester: pytest.Pytester, ini: str, source: str, told: str) -> None:
    pytester.makeini(f"[pytest]\n{ini}")
    pytester.makepyfile(f"import pytest\n{source}\ndef test_nothing(fauxfax): pass")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([told])
    result.stdout.no_fnmatch_line("*During handling of the above exception*")


def test_an_invalid_seed_is_refused(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest("--fauxfax-seed=-1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*argument --fauxfax-seed: invalid*"])


def test_the_help_teaches_the_options_fixtures_and_markers(pytester: pytest.Pytester) -> None:
    help = pytester.runpytest("--help").stdout.str()
    for name in ("--fauxfax-seed=N", "--fauxfax-url=URL", "fauxfax_args (args)", "fauxfax_dialect (string)", "FAUXFAX_URL"):
        assert name in help
    fixtures = pytester.runpytest("--fixtures").stdout.str()
    assert "An account for this test alone" in fixtures
    assert "@pytest.mark.fauxfax(**options)" in pytester.runpytest("--markers").stdout.str()


def test_workers_of_xdist_each_have_an_emulator_and_the_same_sids(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    pytester.makepyfile(
        """
        import os
        import pytest

        @pytest.mark.parametrize("number", range(8))
        def test_fails_with_its_sid(fauxfax, number):
            fauxfax.receive(action=fauxfax.url + "/livez")
            pytest.fail("SID=" + fauxfax.sid)
        """
    )
    alone = sids(pytester.runpytest())
    result = pytester.runpytest_subprocess("-n", "2")
    result.assert_outcomes(failed=8)
    assert sids(result) == alone
    assert result.stdout.str().count("### Fax `FX") == 8


def test_an_asyncio_test_need_not_block_its_loop(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import asyncio

        async def app(reader, writer):
            request = await reader.readuntil(b"\\r\\n\\r\\n")
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Type: text/xml\\r\\nConnection: close\\r\\n\\r\\n<Response><Receive/></Response>")
            await writer.drain()
            writer.close()

        def test_an_app_on_the_same_loop(fauxfax):
            async def main():
                server = await asyncio.start_server(app, "127.0.0.1", 0)
                port = server.sockets[0].getsockname()[1]
                fauxfax.number(fax_url="http://127.0.0.1:%d/fax" % port)
                conversation = await asyncio.to_thread(fauxfax.receive, pages=2)
                server.close()
                return conversation

            assert asyncio.run(main()).outcome == "received"
        """
    )
    pytester.runpytest().assert_outcomes(passed=1)
