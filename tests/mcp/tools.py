"""Calls every tool of fauxfax's MCP server with the official client: results, errors, cancellation, progress, and a picture.

The same steps run over each transport and in each version of the protocol. FAUXFAX_BIN names the program.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct
import subprocess
import sys
import tempfile
import threading
import zlib
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import anyio
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError

BINARY = os.environ["FAUXFAX_BIN"]
TOKEN = "0" * 32
PATIENCE_S = 60
# A picture may have at most this many pels on its longer side.
IMAGE_SIDE_MAX = 1568


class App(BaseHTTPRequestHandler):
    """An app that receives every fax."""

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.server.asked.append((self.path, dict(parse_qsl(self.rfile.read(length).decode()))))
        if self.server.slow.is_set():
            # Doesn't respond until `ended` is set, so that a check can be canceled meanwhile.
            self.server.ended.wait(PATIENCE_S)
        body = b'<Response><Receive action="/done"/></Response>'
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            # The emulator no longer waits for the response.
            pass

    def log_message(self, *_) -> None:
        pass


@asynccontextmanager
async def an_app():
    app = ThreadingHTTPServer(("127.0.0.1", 0), App)
    app.asked, app.slow, app.ended, app.daemon_threads = [], threading.Event(), threading.Event(), True
    threading.Thread(target=app.serve_forever, daemon=True).start()
    try:
        yield app
    finally:
        app.ended.set()
        app.shutdown()
        app.server_close()


@asynccontextmanager
async def over_stdio(mode: str):
    """Yields a client that starts the server, which starts an emulator of its own."""
    home = tempfile.mkdtemp()
    server = StdioServerParameters(command=BINARY, args=["mcp", "--listen", "127.0.0.1:0"], env={"HOME": home}, cwd=home)
    async with Client(server, mode=mode) as client:
        yield client


@asynccontextmanager
async def over_http(mode: str):
    """Yields a client of an emulator that serves the tools itself."""
    home = tempfile.mkdtemp()
    command = [BINARY, "serve", "--mcp", "--listen", "127.0.0.1:0", "--log-level", "error"]
    environment = {"PATH": os.environ["PATH"], "HOME": home}
    emulator = subprocess.Popen(command, env=environment, cwd=home, stdout=subprocess.PIPE, text=True)
    try:
        url = emulator.stdout.readline().split()[2]
        async with Client(f"{url}/mcp", mode=mode) as client:
            yield client
    finally:
        emulator.terminate()
        assert emulator.wait(PATIENCE_S) == 0, "the emulator does not exit with 0"
        emulator.stdout.close()


class Assistant:
    """Calls tools, and remembers which it has called."""

    def __init__(self, client: Client):
        self.client, self.called = client, set()

    async def call(self, tool: str, **arguments):
        self.called.add(tool)
        return await self.client.call_tool(tool, arguments, read_timeout_seconds=PATIENCE_S)

    async def told(self, tool: str, **arguments):
        """Calls a tool that must succeed, and returns its text and its data."""
        result = await self.call(tool, **arguments)
        text = "\n".join(block.text for block in result.content if block.type == "text")
        assert not result.is_error, f"{tool}: {text}"
        return text, result.structured_content

    async def refused(self, tool: str, **arguments) -> str:
        """Calls a tool that must fail, and returns the reason."""
        result = await self.call(tool, **arguments)
        assert result.is_error, f"{tool} succeeded: {result}"
        return result.content[0].text


def size_of(png: bytes) -> tuple[int, int]:
    """Decodes a picture, and returns its size. Every chunk and the pels must be intact."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n"), png[:16]
    at, size, pels = 8, None, b""
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        data = png[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + data) == struct.unpack_from(">I", png, at + 8 + length)[0], kind
        if kind == b"IHDR":
            size = struct.unpack_from(">II", data)
            depth = data[8] * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[data[9]]
        elif kind == b"IDAT":
            pels += data
        at += 12 + length
    rows = zlib.decompress(pels)
    assert len(rows) == size[1] * (1 + (size[0] * depth + 7) // 8), "the picture is incomplete"
    return size


async def receiving(assistant: Assistant, app: str) -> None:
    text, data = await assistant.told("show_account")
    assert data["auth_token"] == TOKEN and data["base_url"] in text and "/console" in data["console"], text
    text, _ = await assistant.told("set_number", fax_url=f"{app}/fax")
    assert app in text, text
    text, data = await assistant.told("list_numbers")
    assert data["numbers"][0]["fax_url"] == f"{app}/fax", text
    text, fax = await assistant.told("receive_fax", pages=2, **{"from": "+15552223333"})
    assert text.startswith("Outcome: received") and fax["num_pages"] == 2, text
    text, shown = await assistant.told("show_fax", fax=fax["sid"])
    assert "`POST" in text and shown["status"] == "received" and fax["sid"] in shown["console"], text
    result = await assistant.call("page_image", fax=fax["sid"], page=2)
    picture = next(block for block in result.content if block.type == "image")
    width, height = size_of(base64.b64decode(picture.data))
    assert picture.mime_type == "image/png" and 800 <= max(width, height) <= IMAGE_SIDE_MAX, (width, height)
    text, found = await assistant.told("list_faxes", search="direction:inbound")
    assert found["hits"] == 1 and found["faxes"][0]["sid"] == fax["sid"], text


async def sending(assistant: Assistant) -> None:
    text, fax = await assistant.told("send_fax", to="+15558675310")
    assert text.startswith("Outcome: delivered"), text
    text, _ = await assistant.told("page_text", fax=fax["sid"], page=1)
    assert text.strip(), "a sample has text"
    text, _ = await assistant.told("send_fax", to="+15005550101")
    assert text.startswith("Outcome: busy"), text
    text, verdict = await assistant.told("verify", match={"kind": "fax.status", "data": {"new": "delivered"}}, times=1)
    assert verdict["verified"], text
    text, verdict = await assistant.told("verify", match={"kind": "fax.status", "data": {"new": "canceled"}})
    assert not verdict["verified"] and "expected" in text, text
    text, _ = await assistant.told("list_requests", limit=50)
    assert "← POST /v1/Faxes 201" in text and "(fax-url)" in text, text


async def going_wrong(assistant: Assistant, asked: list) -> None:
    text, rule = await assistant.told("add_rule", match={"to": "+1555*"}, outcome={"status": "no-answer"}, times=1)
    assert rule["id"] == 1, text
    text, _ = await assistant.told("send_fax", to="+15558675310")
    assert text.startswith("Outcome: no-answer"), text
    text, rules = await assistant.told("list_rules")
    assert rules["rules"][0]["fired"] == 1, text
    await assistant.told("remove_rules", id=1)
    await assistant.told("remove_rules")
    asked.clear()
    await assistant.told("add_rule", webhook={"signature": "bad"}, match={"purpose": "action"}, times=1)
    await assistant.told("receive_fax")
    text, found = await assistant.told(
        "explain_signature", url="http://localhost:3000/fax", params={"FaxSid": "FX1"}, app_url="https://localhost:3000/fax"
    )
    assert not found["valid"] and found["mistake"] and "X-Twilio-Signature" in text, text


async def time(assistant: Assistant) -> None:
    await assistant.told("clock", action="freeze")
    _, fax = await assistant.told("send_fax", to="+15558675310", wait=False)
    text, clock = await assistant.told("clock")
    assert clock["mode"] == "frozen", text
    error = await assistant.refused("send_fax", to="+15558675310")
    assert "the clock is frozen" in error, error
    # A canceled wait ends on both sides: the server answers other calls, and the fax is still there.
    with anyio.move_on_after(1) as scope:
        await assistant.call("wait", fax=fax["sid"], timeout=300)
    assert scope.cancelled_caught
    text, _ = await assistant.told("clock", action="drain")
    assert "is delivered" in text, text
    _, before = await assistant.told("clock")
    _, after = await assistant.told("clock", action="advance", by="3h")
    assert after["mode"] == "frozen" and after["now"] > before["now"], after
    text, waited = await assistant.told("wait", fax=fax["sid"])
    assert waited["status"] == "delivered", text
    await assistant.told("clock", action="run")
    await assistant.told("wait")


async def judging(assistant: Assistant, server, app: str) -> None:
    reports = []

    async def report(progress: float, total: float | None, message: str | None) -> None:
        reports.append((progress, total, message))

    assistant.called.add("check")
    arguments = {"url": f"{app}/fax", "only": ["twiml", "signature-missing"]}
    result = await assistant.client.call_tool("check", arguments, read_timeout_seconds=PATIENCE_S, progress_callback=report)
    text = result.content[0].text
    # The app verifies no signatures.
    assert not result.is_error and "FAIL signature-missing" in text and "fix:" in text, text
    assert result.structured_content["summary"]["fail"] == 1, text
    assert reports and reports[0][:2] == (0, 2) and reports == sorted(reports, key=lambda report: report[0]), reports
    # A canceled check puts the clock and the rules back, and another may begin only after that.
    await assistant.told("remove_rules")
    await assistant.told("add_rule", outcome={"status": "busy"})
    began = anyio.Event()

    async def begun(*_) -> None:
        # From here on, the app hangs.
        server.slow.set()
        began.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: assistant.client.call_tool("check", {"url": f"{app}/fax"}, progress_callback=begun))
        with anyio.fail_after(PATIENCE_S):
            await began.wait()
        tasks.cancel_scope.cancel()
    server.ended.set()
    server.slow.clear()
    with anyio.fail_after(PATIENCE_S):
        while True:
            _, clock = await assistant.told("clock")
            _, rules = await assistant.told("list_rules")
            if clock["mode"] == "running" and len(rules["rules"]) == 1:
                break
            await anyio.sleep(0.05)
    await assistant.told("remove_rules")


async def reading(assistant: Assistant) -> None:
    text, found = await assistant.told("search_docs", query="media url expires")
    assert any(hit["path"] == "docs/how-to/media-expiry.md" for hit in found["hits"]), text
    text, _ = await assistant.told("read_doc")
    assert "how-to/rules.md" in text, text
    text, _ = await assistant.told("read_doc", path="how-to/media-expiry.md")
    assert text.startswith("docs/how-to/media-expiry.md"), text
    text, _ = await assistant.told("read_doc", path="control-api.md", heading="The clock")
    assert "clock/drain" in text and "Snapshots and reset" not in text, text


async def errors(assistant: Assistant) -> None:
    for tool, arguments, expected in [
        ("show_fax", {"fax": "FX" + "0" * 32}, "list_faxes"),
        ("page_image", {"fax": "FX" + "0" * 32}, "there is no fax"),
        ("send_fax", {"to": "nonsense"}, "21211"),
        ("list_faxes", {"limit": 0}, "limit: must be 1 to 100, not 0"),
        ("verify", {"match": {"kind": "fax.sent"}}, "kind"),
        ("show_account", {"account": "AC" + "9" * 32}, "account"),
        ("read_doc", {"path": "nothing.md"}, "did you mean"),
    ]:
        error = await assistant.refused(tool, **arguments)
        assert expected in error, f"{tool}: {error}"
    try:
        await assistant.client.call_tool("send_faxes", {})
        raise AssertionError("a tool that doesn't exist was called")
    except MCPError as error:
        assert "send_fax" in str(error), error


async def all_steps(assistant: Assistant) -> None:
    listed = (await assistant.client.list_tools()).tools
    for tool in listed:
        assert tool.description and tool.annotations and tool.input_schema["type"] == "object", tool.name
    async with an_app() as server:
        app = f"http://127.0.0.1:{server.server_address[1]}"
        await receiving(assistant, app)
        assert [path for path, _ in server.asked] == ["/fax", "/done"], server.asked
        await sending(assistant)
        await going_wrong(assistant, server.asked)
        await time(assistant)
        await judging(assistant, server, app)
    await reading(assistant)
    await errors(assistant)
    await assistant.told("set_number", number="+15017122661")
    await assistant.told("release_number", number="+15017122661")
    await assistant.told("reset", seed=7)
    _, found = await assistant.told("list_faxes")
    assert found["hits"] == 0, found
    missed = {tool.name for tool in listed} - assistant.called
    assert not missed, f"no step calls {missed}"
    print(f"{len(listed)} tools, {len(json.dumps([tool.model_dump(exclude_none=True) for tool in listed]))} bytes to list them")


async def main() -> None:
    for transport in (over_stdio, over_http):
        for mode in ("legacy", "auto"):
            print(f"{transport.__name__}, {mode}: ", end="", flush=True)
            async with transport(mode) as client:
                await all_steps(Assistant(client))


if __name__ == "__main__":
    asyncio.run(main())
    sys.exit()
