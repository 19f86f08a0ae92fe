"""The pytest plugin: the fixtures `fauxfax_emulator` and `fauxfax`, and the conversation in the report of a failed test.

pytest imports this module in every run, so it imports the client only when a test uses a fixture.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from .account import Account
    from .emulator import Emulator

#: The number that a test's account has from the start, the same as that of the emulator's default account.
NUMBER = "+15005550006"
_SEED = 1
# Seeds are 64 bits wide.
_SEED_MAX = 2**64 - 1
# The longest timeout that the control API accepts.
_TIMEOUT_S_MAX = 600
_SECTION = "fauxfax"
_KEY: pytest.StashKey[Account] = pytest.StashKey()
_FAILED: pytest.StashKey[bool] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fauxfax", "fauxfax, a local emulator of fax APIs", after="general")
    group.addoption(
        "--fauxfax-seed",
        metavar="N",
        type=_seed,
        help="Seed of the emulator and of each test's account; the same seed gives the same SIDs [default: fauxfax_seed, else 1]",
    )
    group.addoption(
        "--fauxfax-url",
        metavar="URL",
        help="Use the emulator that is running there, instead of starting one [env: FAUXFAX_URL, FAUXFAX_CONTROL_TOKEN]",
    )
    parser.addini("fauxfax_seed", "Seed of the emulator and of each test's account, for the fixture fauxfax", default=str(_SEED))
    parser.addini(
        "fauxfax_args", "Arguments of `fauxfax serve` for the fixture fauxfax, such as --callbacks final", type="args", default=[]
    )
    parser.addini("fauxfax_dialect", "API that the accounts of the fixture fauxfax use: twilio or signalwire", default="twilio")
    parser.addini("fauxfax_timeout", "How long the fixture fauxfax waits for faxes, in seconds", default="10")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "fauxfax(**options): options of the account of the fixture fauxfax, as Emulator.account takes them, such as "
        'dialect="signalwire" or numbers=["+15017122661"]',
    )


def _seed(text: str) -> int:
    seed = int(text)
    if not 0 <= seed <= _SEED_MAX:
        raise ValueError(f"a seed is a whole number from 0 to {_SEED_MAX}")
    return seed


def _seed_of(config: pytest.Config) -> int:
    given: int | None = config.getoption("fauxfax_seed")
    if given is not None:
        return given
    text = str(config.getini("fauxfax_seed"))
    try:
        return _seed(text)
    except ValueError:
        raise pytest.UsageError(f"fauxfax_seed = {text}: a seed is a whole number from 0 to {_SEED_MAX}") from None


def _timeout_of(config: pytest.Config) -> float:
    text = str(config.getini("fauxfax_timeout"))
    try:
        timeout = float(text)
    except ValueError:
        timeout = -1
    # The comparison is false for nan, too.
    if not 0 <= timeout <= _TIMEOUT_S_MAX:
        raise pytest.UsageError(f"fauxfax_timeout = {text}: a timeout is a number of seconds, at most {_TIMEOUT_S_MAX}")
    return timeout


@pytest.fixture(scope="session")
def fauxfax_emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """The emulator of the run: a process of its own, or the one at --fauxfax-url or FAUXFAX_URL. See `fauxfax.Emulator`.

    Without a URL, each worker of pytest-xdist starts a process of its own. It takes milliseconds, and ends with its worker.
    """
    from .emulator import Emulator
    from .errors import FauxfaxError

    url = request.config.getoption("fauxfax_url") or os.environ.get("FAUXFAX_URL")
    emulator, why = None, ""
    try:
        if url:
            emulator = Emulator.at(url)
        else:
            emulator = Emulator.start(*request.config.getini("fauxfax_args"), seed=_seed_of(request.config))
    except (FauxfaxError, ValueError) as error:
        why = str(error)
    if emulator is None:
        # A traceback would only show this plugin. The call is not in the except block, because the report would then repeat the
        # error.
        pytest.fail(why, pytrace=False)
    yield emulator
    emulator.stop()


@pytest.fixture
def fauxfax(request: pytest.FixtureRequest, fauxfax_emulator: Emulator) -> Iterator[Account]:
    """An account for this test alone, with the fax number +15005550006: `fauxfax.receive(pages=2)`. See `fauxfax.Account`.

    Its SID derives from the test's name and the seed, so that every run is the same. The marker `fauxfax` changes the account.
    """
    node, seed, timeout = request.node, _seed_of(request.config), _timeout_of(request.config)
    options: dict[str, Any] = {"dialect": str(request.config.getini("fauxfax_dialect")), "numbers": [NUMBER]}
    # The nearest marker is listed first. It is applied last, because it has precedence.
    for marker in reversed(list(node.iter_markers("fauxfax"))):
        if marker.args:
            raise pytest.UsageError(f"{node.nodeid}: the marker fauxfax takes keyword arguments only, such as dialect='signalwire'")
        options.update(marker.kwargs)
    options = {**_credential(node.nodeid, seed, options["dialect"]), **options}
    account = _created(fauxfax_emulator, options)
    # Otherwise, ids would depend on whether an account with this SID existed before.
    account.reset(seed=seed)
    account.timeout = timeout
    node.stash[_KEY] = account
    yield account
    # In an emulator that keeps running, the account of a failed test can still be seen in the console.
    if fauxfax_emulator.is_own or not node.stash.get(_FAILED, False):
        account.delete()


def _created(emulator: Emulator, options: dict[str, Any]) -> Account:
    """Creates a test's account, replacing one that an earlier run has left in an emulator that keeps running."""
    from .errors import FauxfaxError, ProblemError

    why = ""
    for is_last in (False, True):
        try:
            return emulator.account(**options)
        except (FauxfaxError, TypeError, ValueError) as error:
            why = str(error)
            exists = isinstance(error, ProblemError) and error.name == "account-exists"
        if is_last or not exists:
            break
        emulator.existing_account(options["sid"]).delete()
    pytest.fail(why, pytrace=False)


def _credential(node_id: str, seed: int, dialect: str) -> Mapping[str, str]:
    """Returns the SID and the token of a test's account."""
    digest = hashlib.sha256(f"{seed}:{node_id}".encode()).digest()
    token = hashlib.sha256(b"token:" + digest).hexdigest()
    if dialect == "signalwire":
        return {"sid": str(uuid.UUID(bytes=digest[:16], version=4)), "auth_token": f"PT{token[:48]}"}
    return {"sid": f"AC{digest[:16].hex()}", "auth_token": token[:32]}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    outcome = yield
    report: pytest.TestReport = outcome.get_result()
    account = item.stash.get(_KEY, None)
    # After the teardown, the account is gone. If the test itself failed, its report already has the section.
    if account is None or not report.failed or report.when == "teardown":
        return
    item.stash[_FAILED] = True
    from .report import section

    emulator = item.funcargs.get("fauxfax_emulator") if hasattr(item, "funcargs") else None
    report.sections.append((_SECTION, section(account, emulator)))
