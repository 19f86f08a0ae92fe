"""Runs the code blocks of README.md, of the pages in docs and of the skills. Apart from ports, folders and the pace, they run as printed.

    blocks.py [PAGE…]          such as php.md or recipes/php.md; without a name, all pages
    blocks.py --marks          runs nothing: only checks that each block has a mark, and that the page says how the block is tested

The word after a block's language says how the block is checked; a block without one is an error:

    run             a shell block that runs here; "fauxfax serve" in it starts the page's emulator
    run=FILE        a program that is saved under this name and runs here
    file=FILE       a file that a later block on the page names
    serve=FILE      an app that is saved, started, and called by the page's emulator; it listens on port 3000
    calls           curl calls, none of which may be refused; they call an emulator of their own with one of each resource (calls.py)
    config=FILE     a configuration, saved under this name, with which an emulator starts
    part=FILE       a part of a file of the repository that has tests of its own; each paragraph must be in the file word for word,
                    except for lines "// …"
    tested=SUITE    a block that is tested by a suite of tests/sdk/run.sh, by "recipes.sh" or "packages.sh", or by a script of
                    tests/packages; the page must name the suite or script beside the block
    made            a block that docs/site/reference.py writes and compares with what the program prints
    hand            a block that was tested by hand; the page must say "tested by hand" before it, in its section or its introduction
    read            a block that was only read; the page must say "not tested" there

A block that runs must say what it prints, in a comment such as "# prints queued". JSON needs no mark, but must be valid. README.md
need not say "not tested", because other pages have the same commands.

YAML is always checked, whatever its mark. The commands of a Compose file, for fauxfax and for the app, run without Docker but with
the environment in the file. Of a workflow, the "fauxfax exec" commands run, with "true" in place of the tests.

The pages name the ports 8329 (the emulator), 8330 (--tls-listen) and 3000 (the app); free ports take their place. Some pages must
make every call of an API (calls.py).
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
from contextlib import ExitStack
from pathlib import Path

import calls
import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
README = "README.md"
# The pages with blocks that docs/site/reference.py makes.
MADE = {"docs/cli-reference.md"}
BINARY = os.environ.get("FAUXFAX_BIN", str(ROOT / "target/debug/fauxfax"))

# A page may say within this many lines after a block what tests it.
AFTER_LINES = 3
# The kinds of blocks that --marks checks completely, since nothing runs for them.
READ_ONLY = {"made", "part", "tested", "hand", "read", ""}
# A block that hangs is stopped after this long.
BLOCK_LIMIT_S = 60
# How many characters of a failed block's output are shown, counted from the end.
SAID_CHARS = 4000
FENCE = re.compile(r"^( *)```(\S*) *(.*)$")
PRINTS = re.compile(r"(?:#|//) prints (.+)$", re.MULTILINE)
INTERPRETERS = {".py": "python", ".mjs": "node", ".cjs": "node", ".php": "php", ".java": "java", ".sh": "bash"}
# The Python environments of these pages; the others use VENV.
VENVS = {"docs/recipes/signalwire.md": "signalwire-2.1.1", "docs/dialects/signalwire.md": "signalwire-2.1.1"}
VENV = "7.5.1"
# The npm packages that pages may use, each with the name under which they import it.
NPM = {
    "twilio-3": "twilio",
    "signalwire-compatibility-3": "@signalwire/compatibility-api",
    "express": "express",
}
# The keys that a service in a Compose file on a page may have.
SERVICE_KEYS = set(
    "build cap_drop command depends_on environment extra_hosts image ports read_only security_opt user volumes".split()
)
# Pages whose --pace is kept instead of being replaced with max, because they move a frozen clock.
AT_PACE = {"docs/how-to/clock.md"}
CLI = HERE / ".cli/2.36.1/node_modules/.bin"


class Failure(Exception):
    """A block that doesn't do what the page says."""


class Block:
    """A fenced block, with its place and what comes before it in its section."""

    def __init__(self, page: str, line: int, language: str, mark: str, before: str, text: str):
        self.page, self.line, self.language, self.before, self.text = page, line, language, before, text
        # The first lines of the page after the block.
        self.after = ""
        self.kind, _, self.name = mark.partition("=")

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    def prints(self) -> list[str]:
        return [found.strip().strip('"') for found in PRINTS.findall(self.text)]


def blocks_of(name: str) -> list[Block]:
    """Returns all fenced blocks of a page. A Compose file is one block."""
    page = ROOT / name
    if page.suffix == ".yaml":
        return [Block(name, 1, "yaml", "read", "not tested", page.read_text())]
    found, before, inside, introduction = [], [], None, []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        fence = FENCE.match(line)
        if inside is None and fence:
            inside = (number, fence, [])
        elif inside is not None and line.strip() == "```":
            start, opened, lines = inside
            text = textwrap.dedent("\n".join(lines)) + "\n"
            found.append(Block(name, start, opened[2], opened[3].strip(), " ".join(introduction + before), text))
            inside = None
        elif inside is not None:
            inside[2].append(line)
        else:
            if line.startswith("## "):
                introduction = introduction or before
            before = [line] if line.startswith("#") else [*before, line]
            if found and len(found[-1].after.splitlines()) < AFTER_LINES:
                found[-1].after += line + "\n"
    if inside is not None:
        raise Failure(f"{name}:{inside[0]}: the block doesn't end")
    return found


class Page:
    """The folder, the emulator and the app of one page, while its blocks run."""

    def __init__(self, name: str, parent: Path, stack: ExitStack):
        self.name, self.stack, self.venv = name, stack, HERE / ".venv" / VENVS.get(name, VENV)
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="page-", dir=parent)))
        self.data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="data-")))
        self.bin = self.data / "bin"
        self.bin.mkdir()
        # The pages call the binary by this name.
        (self.bin / "fauxfax").symlink_to(BINARY)
        for package, imported in NPM.items():
            link = self.folder / "node_modules" / imported
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(HERE / "node_modules" / package)
        shutil.copy(ROOT / "fixtures/documents/two-pages.pdf", self.folder / "letter.pdf")
        self.emulator = None
        self.ports: dict[str, int] = {"3000": free_port()}

    def environment(self) -> dict[str, str]:
        path = [str(self.bin), str(self.venv / "bin"), str(CLI), os.environ["PATH"]]
        environment = {
            "PATH": os.pathsep.join(path),
            "HOME": str(self.data),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "0" * 32,
            "SIGNALWIRE_PROJECT_ID": "b3877c40-da60-4998-90ad-b792e98472ac",
            "SIGNALWIRE_API_TOKEN": "PTofTheRecipes",
        }
        if "8329" in self.ports:
            # The page's fauxfax commands call the emulator at this address.
            environment["FAUXFAX_URL"] = f"http://127.0.0.1:{self.ports['8329']}"
        return environment

    def url(self) -> str:
        """Returns the address of the page's emulator, which it starts if necessary."""
        return self.with_ports("http://127.0.0.1:8329")

    def with_ports(self, text: str) -> str:
        if re.search(r"\b83(29|30)\b", text) and self.emulator is None:
            self.serve([])
        return re.sub(r"\b(8329|8330|3000)\b", lambda found: str(self.ports.get(found[0], found[0])), text)

    def serve(self, flags: list[str], environment: dict[str, str] | None = None, keeps_pace: bool = False) -> None:
        """Starts the emulator of the page, and stops an earlier one."""
        if self.emulator is not None:
            stop(self.emulator)
        flags = [re.sub(r"\b3000\b", str(self.ports["3000"]), flag) for flag in flags]
        given = []
        while flags:
            flag = flags.pop(0)
            if flag in ("--listen", "--tls-listen") or (flag == "--pace" and self.name not in AT_PACE):
                flags.pop(0)
            else:
                given.append(flag)
        command = [BINARY, "serve", "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0"]
        if self.name not in AT_PACE and not keeps_pace:
            command += ["--pace", "max"]
        log = open(self.data / "emulator.log", "w+")
        self.stack.callback(log.close)
        environment = {**self.environment(), **(environment or {})}
        environment.pop("FAUXFAX_URL", None)
        process = subprocess.Popen(
            command + given, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
        self.stack.callback(stop, process)
        words = process.stdout.readline().split()
        if words[:2] != ["fauxfax", "ready"]:
            raise Failure(f"fauxfax serve {' '.join(given)}: {(self.data / 'emulator.log').read_text()}")
        self.emulator = process
        self.ports["8329"] = int(words[2].rpartition(":")[2])
        self.ports["8330"] = int(words[-1].rpartition(":")[2])

    def start_app(self, block: Block) -> None:
        path = self.save(block)
        log = open(self.data / "app.log", "a+")
        self.stack.callback(log.close)
        process = subprocess.Popen(
            [INTERPRETERS[path.suffix], path.name],
            cwd=self.folder,
            env=self.environment(),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        # The whole process group is ended, because a shell's child would outlive the shell.
        self.stack.callback(os.killpg, process.pid, signal.SIGTERM)
        wait_for_port(self.ports["3000"], process, self.data / "app.log")

    def save(self, block: Block) -> Path:
        path = self.folder / block.name
        path.write_text(self.with_ports(block.text))
        return path

    def run(self, command: list[str], block: Block, environment: dict[str, str] | None = None) -> None:
        """Runs a command, which must succeed and print what the block says."""
        environment = {**self.environment(), **(environment or {})}
        found = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=BLOCK_LIMIT_S, check=False
        )
        said = f"{found.stdout}\n{found.stderr}"
        if found.returncode:
            raise Failure(f"exit status {found.returncode}:\n{said[-SAID_CHARS:]}")
        missing = [text for text in block.prints() if self.with_ports(text) not in found.stdout]
        if missing:
            raise Failure(f"prints no {missing[0]!r}:\n{said[-SAID_CHARS:]}")

    def run_program(self, block: Block) -> None:
        if not block.prints():
            raise Failure('a block that runs must say what it prints ("// prints queued")')
        path = self.save(block)
        self.run([INTERPRETERS[path.suffix], path.name], block)

    def run_calls(self, block: Block) -> None:
        """Runs curl calls with an emulator of their own, in which there is one of each resource."""
        dialect = "signalwire" if self.name.endswith("dialects/signalwire.md") else "twilio"
        # At the highest pace, a fax takes no time, so a frozen clock would not keep it pending.
        flags = ["--dialect", dialect, "--fax-twiml", "<Response><Receive/></Response>"]
        self.serve(flags, keeps_pace="frozen" in block.text)
        with calls.accepting_app() as port:
            self.ports["3000"] = port
            variables = calls.resources(self.url(), dialect, port, block.text)
            self.run(["bash", "-euo", "pipefail", "-c", calls.CURL + self.with_ports(block.text)], block, variables)

    def run_shell(self, block: Block) -> None:
        """Runs a shell block, with the emulator that it starts."""
        rest = []
        for line in logical_lines(block.text):
            words = shlex.split(line, comments=True) if line.lstrip().startswith("fauxfax serve") else []
            if words:
                self.serve([word for word in words[2:] if word != "&"])
            else:
                rest.append(line)
        rest = "\n".join(rest)
        if re.sub(r"(?m)^\s*#.*$", "", rest).strip():
            if not block.prints():
                raise Failure('a block that runs must say what it prints ("# prints queued")')
            self.run(["bash", "-euo", "pipefail", "-c", self.with_ports(rest)], block)


def check_part(block: Block) -> None:
    """Checks that each paragraph of the block is in the file that it names, whatever the indentation there."""
    whole = flat((ROOT / block.name).read_text())
    for paragraph in re.split(r"\n\s*\n", re.sub(r"(?m)^ *// …$", "", block.text).strip()):
        if flat(paragraph) not in whole:
            raise Failure(f"{block.name} doesn't contain this:\n{paragraph}")


def flat(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines())


def check_yaml(page: Page, block: Block) -> None:
    document = yaml.safe_load(block.text)
    if isinstance(document, dict) and "services" in document:
        check_compose(page, block, document)
    elif isinstance(document, list):
        check_steps(page, block, document)
    else:
        raise Failure("is neither a Compose file nor a list of steps")


def check_compose(page: Page, block: Block, document: dict) -> None:
    """Runs the commands of a Compose file's services without Docker, with their environment."""
    services, volumes = document["services"], document.get("volumes", {})
    unknown = set(document) - {"services", "volumes"}
    if unknown:
        raise Failure(f"Compose has no key {unknown.pop()}")
    ca = page.data / "ca"

    def here(text: str) -> str:
        # A path that begins with /ca is replaced, but not the second /ca in /ca/ca.pem.
        text = re.sub(r"(?<!\w)/ca\b", str(ca), str(text)).replace("//fauxfax:", "//127.0.0.1:")
        return page.with_ports(text.replace("Host=fauxfax", "Host=127.0.0.1").replace("$$", "$"))

    variables = subprocess.run([BINARY, "serve", "--help"], capture_output=True, text=True, check=True).stdout
    for name, service in services.items():
        for key in set(service) - SERVICE_KEYS:
            raise Failure(f"service {name}: Compose has no key {key}")
        for variable in service.get("environment", {}):
            if variable.startswith("FAUXFAX_") and not re.search(rf"\b{variable}\b", variables):
                raise Failure(f"service {name}: fauxfax reads no variable {variable}")
        if not {"image", "build"} & set(service):
            raise Failure(f"service {name} has neither image nor build")
        missing = set(service.get("depends_on", {})) - set(services)
        if missing:
            raise Failure(f"service {name} depends on {missing.pop()}, which is no service")
        named = {volume.split(":")[0] for volume in service.get("volumes", []) if volume[0] not in "./"}
        if named - set(volumes):
            raise Failure(f"service {name} uses a volume that isn't declared")
    own = [service for service in services.values() if service.get("image") == "fauxfax" and "command" in service]
    for service in own:
        page.run(["fauxfax", *[here(word) for word in service["command"]]], Block(page.name, 0, "", "", "", ""))
    for path in set(re.findall(r"(?<=[:= ])/ca/[\w./]+", block.text)):
        if not Path(here(path)).exists():
            raise Failure(f"nothing makes {path}")
    emulator = services["fauxfax"]["environment"].items()
    page.serve([], {name: re.sub("^/ca", str(ca), str(value)) for name, value in emulator})
    app = services.get("app", {})
    if bool(block.prints()) != ("the commands of all services" in block.before):
        raise Failure('the page says "the commands of all services" if the app\'s command says what it prints')
    if block.prints():
        environment = {name: here(value) for name, value in app["environment"].items()}
        # The command may append to certifi's file. A container has its own such file; here, a copy takes its place.
        certifi = next((page.venv / "lib").glob("*/site-packages/certifi"))
        shutil.copytree(certifi, page.data / "python" / "certifi")
        environment["PYTHONPATH"] = str(page.data / "python")
        page.run(["bash", "-euo", "pipefail", "-c", here(app["command"])], block, environment)


def check_steps(page: Page, block: Block, steps: list) -> None:
    """Runs the "fauxfax exec" commands of a workflow's steps, with "true" in place of the tests."""
    commands = [step["run"] for step in steps if step.get("run", "").startswith("fauxfax ")]
    if not commands:
        raise Failure("no step runs fauxfax")
    for command in commands:
        page.run([*shlex.split(command.partition(" -- ")[0]), "--", "true"], Block(page.name, 0, "", "", "", ""))


def check(page: Page, block: Block, later: str, suites: str) -> None:
    """Checks one block as its mark says. `later` is the text of the blocks that follow."""
    if block.language == "yaml":
        check_yaml(page, block)
    if block.kind == "run" and block.language == "sh" and not block.name:
        page.run_shell(block)
    elif block.kind == "run" and block.name:
        page.run_program(block)
    elif block.kind == "calls" and block.language == "sh":
        page.run_calls(block)
    elif block.kind == "config" and block.name:
        page.save(block)
        page.serve(["--config", block.name])
    elif block.kind == "made":
        if block.page not in MADE:
            raise Failure("docs/site/reference.py doesn't make this page")
    elif block.kind == "part" and block.name:
        check_part(block)
    elif block.kind == "serve" and block.name:
        page.start_app(block)
    elif block.kind == "file" and block.name:
        page.save(block)
        if not is_used(block, later):
            raise Failure(f"no later block names {block.name}")
    elif block.kind == "tested":
        if block.name not in suites:
            raise Failure(f"there is no suite or script {block.name}")
        if block.name not in block.before + block.after and block.page != README:
            raise Failure(f"the page must say that {block.name} tests it")
    elif block.kind in ("hand", "read"):
        words = {"hand": "tested by hand", "read": "not tested"}[block.kind]
        if words not in block.before.lower() and block.page != README:
            raise Failure(f'the page must say "{words}" between the heading and the block')
    elif block.language == "json" and not block.kind:
        json.loads(block.text)
    else:
        raise Failure("has no mark that says how it is checked; tests/sdk/blocks.py lists the marks")


def is_used(block: Block, later: str) -> bool:
    """Returns whether a later block names the file, imports it, or runs a program that finds it without being told."""
    name = Path(block.name)
    found_by = {"fauxfax.toml": "fauxfax serve", "conftest.py": "pytest"}.get(name.name, "pytest" if name.name.startswith("test_") else None)
    if found_by is not None and found_by in later:
        return True
    return block.name in later or bool(re.search(rf"^(import|from) {re.escape(name.stem)}\b", later, re.MULTILINE))


def logical_lines(text: str) -> list[str]:
    return text.replace("\\\n", "").splitlines()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for_port(port: int, process: subprocess.Popen, log: Path) -> None:
    """Waits until an app accepts connections."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            raise Failure(f"the app has ended: {log.read_text()}") from None


def stop(process: subprocess.Popen) -> None:
    process.terminate()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def main() -> int:
    only_marks = "--marks" in sys.argv
    wanted = [name for name in sys.argv[1:] if name != "--marks"]
    if not only_marks and not os.access(BINARY, os.X_OK):
        sys.exit(f"{BINARY} does not exist; build it: cargo build --bin fauxfax")
    pages = [README] + sorted(
        str(path.relative_to(ROOT))
        for folder in ("docs", "skills")
        for ending in ("*.md", "*.yaml")
        for path in (ROOT / folder).rglob(ending)
    )
    names = [page for page in pages if not wanted or any(f"/{page}".endswith(f"/{name}") for name in wanted)]
    suites = (HERE / "run.sh").read_text().split("suites=(")[1].split(")")[0].split() + ["recipes.sh", "packages.sh"]
    suites += [path.name for path in (ROOT / "tests/packages").glob("*.sh")]
    counts: dict[str, int] = {}
    failures = 0
    # Node looks for packages in the parent folders of a file.
    with tempfile.TemporaryDirectory(prefix="recipe-", dir=HERE) as parent:
        for name in names:
            blocks = blocks_of(name)
            own: dict[str, int] = {}
            with ExitStack() as stack:
                page = Page(name, Path(parent), stack)
                for index, block in enumerate(blocks):
                    if only_marks and (block.kind not in READ_ONLY or block.language == "yaml"):
                        continue
                    later = "\n".join(following.text for following in blocks[index + 1 :])
                    try:
                        check(page, block, later, suites)
                        own[block.kind or block.language] = own.get(block.kind or block.language, 0) + 1
                    except (Failure, OSError, ValueError, subprocess.TimeoutExpired, yaml.YAMLError) as error:
                        failures += 1
                        print(f"{block}: {error}", file=sys.stderr)
                try:
                    missing = [] if only_marks else calls.missing(name, page.folder / "calls.log", page.url())
                except OSError as error:
                    missing = [str(error)]
                if missing:
                    failures += 1
                    print(f"{name}: no block makes the calls {', '.join(missing)}", file=sys.stderr)
            for kind, count in own.items():
                counts[kind] = counts.get(kind, 0) + count
            if own or (blocks and not only_marks):
                print(f"{name}: {told(own)}")
    print(f"{sum(counts.values())} blocks passed ({told(counts)}), {failures} failed")
    return 1 if failures or not counts else 0


def told(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "none passed"


if __name__ == "__main__":
    sys.exit(main())
