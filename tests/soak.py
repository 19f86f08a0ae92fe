#!/usr/bin/env python3
"""Runs the load that tests/soak.sh describes: python3 tests/soak.py BINARY SECONDS.

Caches and buffers fill in a first round of load, and three more rounds follow. After each round all clients disconnect, and
the round's account is removed. Then there may be no more descriptors than at the start. The memory in use after the last round
may be at most 20 % or 24 MiB (whichever is more) above the highest amount in use after any earlier round: without a leak, rounds
of one program left between 100 and 127 MiB, and a leak of 400 bytes per request would exceed the limit. The allocator returns
freed pages at once, so memory that is still resident is still in use.
"""

import asyncio
import base64
import json
import os
import random
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 3
MEMORY_MORE = 0.20
MEMORY_MORE_KIB = 24 * 1024
BODY_BUDGET = "64MiB"
MEDIA_BUDGET = "32MiB"
SETTLE_S = 30
NUMBER = "+15017122661"
FAR = "+15558675310"
DOCUMENT = Path("fixtures/documents/two-pages.pdf").read_bytes()
TWIML = b'<Response><Receive action="/ok/done"/></Response>'
BASE = "/_fauxfax/v1"


class App:
    """A server that plays apps of all kinds: the first segment of a path says whether it behaves well, and if not, how."""

    def __init__(self):
        self.open = {}
        self.asked = 0

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=1024)
        self.url = "http://127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        self.open[writer] = asyncio.current_task()
        self.asked += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            await self.answer(head.split(b" ")[1].decode().split("/")[1].split("?")[0], writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            self.open.pop(writer, None)
            writer.close()

    async def answer(self, way, writer):
        def head(kind, length):
            text = "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
            return (text % (kind, length)).encode()

        if way == "ok":
            writer.write(head("text/xml", len(TWIML)) + TWIML)
        elif way == "document":
            writer.write(head("application/pdf", len(DOCUMENT)) + DOCUMENT)
        elif way == "hang":
            await asyncio.sleep(3600)
        elif way == "drip":
            writer.write(head("application/pdf", len(DOCUMENT)))
            for at in range(0, len(DOCUMENT), 512):
                writer.write(DOCUMENT[at : at + 512])
                await writer.drain()
                await asyncio.sleep(1)
        elif way == "reset":
            reset(writer)
        elif way == "endless":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\nConnection: close\r\n\r\n%PDF-1.4\n")
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
        await writer.drain()

    async def hang_up(self):
        for writer, task in list(self.open.items()):
            reset(writer)
            task.cancel()
        await asyncio.sleep(0.05)


def reset(writer):
    """Resets a connection instead of closing it, as if the program at this end had crashed."""
    taken = writer.get_extra_info("socket")
    if taken is not None and taken.fileno() >= 0:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Emulator:
    def __init__(self, binary):
        flags = ["--pace", "max", "--log-level", "error", "--body-budget", BODY_BUDGET, "--media-budget", MEDIA_BUDGET]
        command = [binary, "serve", "--listen", "127.0.0.1:0", *flags]
        environment = {**os.environ, "MIMALLOC_PURGE_DELAY": "0"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        ready = self.process.stdout.readline().split()
        self.port = int(ready[2].rsplit(":", 1)[1])
        self.proc = Path("/proc") / str(self.process.pid)

    def descriptors(self):
        return len(os.listdir(self.proc / "fd"))

    def threads(self):
        return len(os.listdir(self.proc / "task"))

    def open_files(self):
        """Lists the files and connections that the emulator's descriptors refer to. A TCP connection is shown with its ports
        and its state from /proc/net/tcp."""
        lines = (self.proc / "net/tcp").read_text().splitlines()[1:]
        ports = {}
        for local, far, state, inode in ((line.split()[at] for at in (1, 2, 3, 9)) for line in lines):
            ports["socket:[%s]" % inode] = "%d-%d:%s" % (int(local[-4:], 16), int(far[-4:], 16), state)
        names = sorted(os.readlink(entry) for entry in (self.proc / "fd").iterdir())
        return [ports.get(name, name) for name in names]

    def memory_kib(self, field="VmRSS"):
        lines = (self.proc / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))

    async def connect(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    @staticmethod
    def request(method, path, body=b"", headers=""):
        head = "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n%s\r\n"
        return (head % (method, path, len(body), headers)).encode() + body

    async def call(self, method, path, body=b"", headers=""):
        """Makes a call on a new connection, and returns the status and the body."""
        reader, writer = await self.connect()
        try:
            writer.write(self.request(method, path, body, headers))
            await writer.drain()
            answer = await reader.read()
        finally:
            # The connection is aborted, because closing waits until the whole request has been sent, and the emulator may leave
            # the body unread.
            writer.transport.abort()
        head, _, body = answer.partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" in head.lower():
            body = b"".join(unchunked(body))
        return int(head.split(b" ")[1]) if head else 0, body


def unchunked(body):
    while body:
        size, _, rest = body.partition(b"\r\n")
        yield rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :]


class Round:
    """One round of load on one account."""

    def __init__(self, emulator, app, number, seed):
        self.emulator, self.app, self.random = emulator, app, random.Random(seed)
        self.sid, self.token = "AC%032x" % number, "soak"
        self.query = "?account=" + self.sid
        self.calls, self.latencies, self.answers = 0, [], {}
        self.unread = []

    async def create_account(self):
        numbers = [{"phone_number": NUMBER, "voice_url": self.app.url + "/ok/fax", "voice_receive_mode": "fax"}]
        order = {"sid": self.sid, "auth_token": self.token, "numbers": numbers}
        status, body = await self.emulator.call("POST", BASE + "/accounts", json.dumps(order).encode())
        assert status == 201, body

    def control(self, method, path, body=b"", headers="", query=""):
        return self.emulator.call(method, BASE + path + self.query + query, body, headers)

    async def receive(self):
        await self.control("POST", "/incoming-faxes", b'{"pages": 2}', query="&wait=true&timeout=5")

    async def send(self):
        way = self.random.choice(["document", "document", "hang", "drip", "reset", "endless"])
        told = self.random.choice(["ok", "hang", "reset", "drip"])
        form = "From=%%2B15017122661&To=%%2B15558675310&MediaUrl=%s/%s/a.pdf&StatusCallback=%s/%s/s"
        form = (form % (self.app.url, way, self.app.url, told)).encode()
        credential = base64.b64encode(("%s:%s" % (self.sid, self.token)).encode()).decode()
        await self.emulator.call("POST", "/v1/Faxes", form, "Authorization: Basic %s\r\n" % credential)

    def multipart(self, document):
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
        return head + document + b"\r\n--b--\r\n", "Content-Type: multipart/form-data; boundary=b\r\n"

    async def upload(self):
        body, kind = self.multipart(DOCUMENT)
        await self.control("POST", "/incoming-faxes", body, kind)

    async def upload_much(self):
        body, kind = self.multipart(b"%PDF-1.4\n" + bytes(6 << 20))
        await self.control("POST", "/incoming-faxes", body, kind)

    async def break_off(self):
        """Acts as a client that crashes in the middle of an upload."""
        body, kind = self.multipart(DOCUMENT * 8)
        request = self.emulator.request("POST", BASE + "/incoming-faxes" + self.query, body, kind)
        _, writer = await self.emulator.connect()
        writer.write(request[: self.random.randrange(20, len(request))])
        await writer.drain()
        await asyncio.sleep(0.1)
        reset(writer)

    async def wait(self):
        await self.control("GET", "/wait", query="&status=canceled&timeout=0.5")

    async def give_up_waiting(self):
        _, writer = await self.emulator.connect()
        writer.write(self.emulator.request("GET", BASE + "/wait" + self.query + "&status=canceled&timeout=60"))
        await writer.drain()
        await asyncio.sleep(0.2)
        reset(writer)

    async def stream(self):
        reader, writer = await self.emulator.connect()
        path = BASE + "/events" + self.query + "&all=true"
        writer.write(self.emulator.request("GET", path, headers="Accept: text/event-stream\r\n"))
        try:
            for _ in range(20):
                await asyncio.wait_for(reader.read(65536), 0.2)
        except asyncio.TimeoutError:
            pass
        writer.close()

    async def read_nothing(self):
        """Makes a call with a long response and doesn't read it. The connection stays open until the round ends."""
        if len(self.unread) >= 60:
            return
        taken = socket.socket()
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        taken.setblocking(False)
        await asyncio.get_running_loop().sock_connect(taken, ("127.0.0.1", self.emulator.port))
        path, accept = self.random.choice(
            [("/events", ""), ("/events", "Accept: text/event-stream\r\n"), ("/state", ""), ("/webhooks", "")]
        )
        path = BASE + path + self.query + ("&all=true" if path != "/state" else "")
        await asyncio.get_running_loop().sock_sendall(taken, self.emulator.request("GET", path, headers=accept))
        self.unread.append(taken)

    async def drip(self):
        """Sends part of a request head, one byte at a time, and disconnects."""
        _, writer = await self.emulator.connect()
        for byte in b"GET /livez HTTP/1.1\r\nHost: lo":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.close()

    async def verify(self):
        order = {"match": {"kind": "webhook.attempt", "data": {"url": {"regex": "(a|b)*zzz$"}}}}
        await self.control("POST", "/verify", json.dumps(order).encode())

    async def state(self):
        status, body = await self.control("GET", "/state")
        if status == 200:
            await self.control("PUT", "/state", body)

    async def reset(self):
        await self.control("POST", "/reset")

    async def keep_on(self, what, pause, end):
        while time.monotonic() < end:
            try:
                await asyncio.wait_for(what(), 20)
                self.calls += 1
            except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
                pass
            await asyncio.sleep(pause)

    async def measure(self, end, peak):
        while time.monotonic() < end:
            begun = time.monotonic()
            await self.emulator.call("GET", "/livez")
            self.latencies.append(1000 * (time.monotonic() - begun))
            peak[0] = max(peak[0], self.emulator.descriptors())
            await asyncio.sleep(0.05)

    async def run(self, seconds, peak):
        await self.create_account()
        end = time.monotonic() + seconds
        many = [(self.receive, 0), (self.receive, 0), (self.send, 0.02), (self.upload, 0.05), (self.wait, 0)]
        some = [(self.upload_much, 0.2), (self.break_off, 0.1), (self.give_up_waiting, 0.1), (self.stream, 0.1)]
        few = [(self.read_nothing, 0.2), (self.drip, 0.1), (self.verify, 0.2), (self.state, 1), (self.reset, 3)]
        load = [self.keep_on(what, pause, end) for what, pause in (many * 4 + some * 3 + few)]
        await asyncio.gather(self.measure(end, peak), *load)

    async def end(self, descriptors, threads):
        """Removes the account, ends all connections, and waits until the emulator has released what they used. Returns the
        smallest amount of resident memory that is then measured, in KiB."""
        for taken in self.unread:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            taken.close()
        await self.control("POST", "/reset")
        await self.emulator.call("DELETE", BASE + "/accounts/" + self.sid)
        await self.app.hang_up()
        end = time.monotonic() + SETTLE_S
        # Idle threads for blocking tasks end after ten seconds. Until then, they hold on to memory that they have freed.
        while time.monotonic() < end:
            if self.emulator.descriptors() <= descriptors and self.emulator.threads() <= threads:
                break
            await self.app.hang_up()
            await asyncio.sleep(0.2)
        least = self.emulator.memory_kib()
        for _ in range(10):
            await asyncio.sleep(0.2)
            await self.emulator.call("GET", "/livez")
            least = min(least, self.emulator.memory_kib())
        return least


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def row(name, memory_kib, descriptors, latencies=(), calls=""):
    times = "%6.1f %6.1f %6.1f" % tuple(percentile(latencies, share) for share in (0.5, 0.99, 1)) if latencies else ""
    print("%-16s %8.1f %11d   %-22s %s" % (name, memory_kib / 1024, descriptors, times, calls), flush=True)


async def soak(binary, seconds):
    app = App()
    await app.start()
    emulator = Emulator(binary)
    failures = []
    try:
        # The first call starts threads and opens the log, which the counts at the start must include.
        await emulator.call("GET", "/livez")
        await asyncio.sleep(0.5)
        descriptors, threads, after = emulator.descriptors(), emulator.threads(), []
        print("%-16s %8s %11s   %-22s %s" % ("", "MiB", "descriptors", "livez ms 50% 99% max", "calls"))
        row("before", emulator.memory_kib(), descriptors)
        for number in range(ROUNDS + 1):
            load, peak = Round(emulator, app, number + 1, number), [0]
            await load.run(seconds / ROUNDS, peak)
            row("round %d, load" % number, emulator.memory_kib(), peak[0], load.latencies, load.calls)
            after.append(await load.end(descriptors, threads))
            # The connection of our own last call may still be closing.
            for _ in range(20):
                if emulator.descriptors() > descriptors:
                    await asyncio.sleep(0.1)
            row("round %d, after" % number, after[-1], emulator.descriptors())
            if emulator.descriptors() > descriptors:
                names = emulator.open_files()
                failures.append("%d descriptors, but %d at the start: %s" % (emulator.descriptors(), descriptors, names))
        row("peak", emulator.memory_kib("VmHWM"), descriptors)
        # The last round is compared with the earlier round that left most, since a round may happen to leave little. A leak grows
        # in every round.
        most = max(after[:-1])
        more = after[-1] - most
        if more > max(MEMORY_MORE * most, MEMORY_MORE_KIB):
            failures.append("after the last round, %.1f MiB more memory was in use than after any earlier round" % (more / 1024))
        _, health = await emulator.call("GET", BASE + "/health")
        budget = json.loads(health)["body_budget"]
        if budget["held_bytes"]:
            failures.append("%d bytes of the budget were never released" % budget["held_bytes"])
        print("budget: %s; requests to apps: %d" % (budget, app.asked))
    finally:
        emulator.process.terminate()
        status = emulator.process.wait(10)
    if status:
        failures.append("after SIGTERM, the emulator exited with %d" % status)
    for failure in failures:
        print("FAILED: " + failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(soak(sys.argv[1], float(sys.argv[2]))))
