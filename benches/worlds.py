#!/usr/bin/env python3
"""Measures how fast a thousand worlds are created and receive a fax each, how much memory they take, how soon a wait
returns after its event, and what streams cost that nobody reads. Needs Linux, Python 3.9 and a built binary:

    python3 benches/worlds.py target/dist/fauxfax [WORLDS]

The app and the clients share this one Python process, so the rates are limited by it and not by the emulator.
"""

import asyncio
import datetime
import json
import socket
import statistics
import subprocess
import sys
import time

CLIENTS = 16
STREAMS = 50
ROUNDS = 5
WAITS = 200
TWIML = b'<Response><Receive action="/received"/></Response>'


async def read_message(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    length = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return head, await reader.readexactly(int(length[0])) if length else b""


async def app(reader, writer):
    """The webhook app, which receives every fax."""
    try:
        head, _ = await read_message(reader)
        body = TWIML if head.startswith(b"POST /fax ") else b""
        answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
        writer.write(answer % (len(body), body))
        await writer.drain()
    finally:
        writer.close()


class Client:
    """A connection to the control API that stays open."""

    def __init__(self, port):
        self.port, self.streams = port, None

    async def call(self, method, path, body=b""):
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.streams
        head = "%s /_fauxfax/v1%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (method, path, len(body))
        writer.write(head.encode() + body)
        head, answer = await read_message(reader)
        assert b" 20" in head[:13], answer
        return json.loads(answer)


async def in_turns(clients, items, act):
    """Shares the items among the clients and returns the rate per second."""
    queue, started = iter(items), time.perf_counter()

    async def work(client):
        for item in queue:
            await act(client, item)

    await asyncio.gather(*(work(client) for client in clients))
    return len(items) / (time.perf_counter() - started)


def resident_mib(pid):
    with open("/proc/%d/status" % pid) as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


async def wake_latency_ms(port, sid):
    """Returns the milliseconds from an event, by the emulator's clock, until the wait for it returns in this process."""
    waiter, caller = Client(port), Client(port)
    seq = (await caller.call("GET", "/events?limit=0&account=" + sid))["last_seq"]
    wait = asyncio.create_task(waiter.call("GET", "/wait?status=receiving&since=%d&account=%s" % (seq, sid)))
    await asyncio.sleep(0.005)
    await caller.call("POST", "/incoming-faxes?account=" + sid)
    answer = await wait
    woken = datetime.datetime.now(datetime.timezone.utc)
    happened = datetime.datetime.fromisoformat(answer["event"]["at"].replace("Z", "+00:00"))
    await caller.call("GET", "/wait?for=idle&account=" + sid)
    return (woken - happened).total_seconds() * 1000


async def measure(binary, worlds):
    server = await asyncio.start_server(app, "127.0.0.1", 0, backlog=1024)
    app_url = "http://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
    command = [binary, "serve", "--listen", "127.0.0.1:0", "--pace", "max", "--seed", "7", "--log-level", "warn"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    port = int(process.stdout.readline().split()[2].rsplit(":", 1)[1])
    clients = [Client(port) for _ in range(CLIENTS)]
    number = {"phone_number": "+15017122661", "voice_receive_mode": "fax", "voice_url": app_url + "/fax"}
    sids = []

    async def create(client, _):
        sids.append((await client.call("POST", "/accounts", json.dumps({"numbers": [number]}).encode()))["sid"])

    async def receive(client, sid):
        conversation = await client.call("POST", "/incoming-faxes?wait=true&account=" + sid)
        assert conversation["outcome"] == "received", conversation

    print("resident at the start: %.0f MiB" % resident_mib(process.pid))
    print("worlds created: %.0f per second" % await in_turns(clients, range(worlds), create))
    print("resident with %d worlds: %.0f MiB" % (worlds, resident_mib(process.pid)))
    print("one fax received in each, to its end: %.0f per second" % await in_turns(clients, sids, receive))
    print("resident then: %.0f MiB" % resident_mib(process.pid))
    latencies = [await wake_latency_ms(port, sids[0]) for _ in range(WAITS)]
    print("a wait returns %.2f ms (median), %.2f ms (95 %%) after its event" % (
        statistics.median(latencies), statistics.quantiles(latencies, n=20)[18]))
    busy = sids[:10] * (worlds // 10)
    print("faxes received in ten worlds: %.0f per second" % await in_turns(clients, busy, receive))
    streams = []
    for number in range(STREAMS):
        stream = socket.create_connection(("127.0.0.1", port))
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        target = "/_fauxfax/v1/events?account=" + busy[number % 10]
        stream.sendall(("GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n" % target).encode())
        streams.append(stream)
    # The first rounds fill the streams' buffers; only what the streams cost after that is of interest.
    for number in range(ROUNDS):
        rate = await in_turns(clients, busy, receive)
        figures = (number + 1, rate, STREAMS, resident_mib(process.pid))
        print("round %d: %.0f per second with %d streams that nobody reads, resident %.0f MiB" % figures)
    for stream in streams:
        stream.close()
    print("and with the streams closed: %.0f per second" % await in_turns(clients, busy, receive))
    process.terminate()
    process.wait()


if __name__ == "__main__":
    asyncio.run(measure(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000))
