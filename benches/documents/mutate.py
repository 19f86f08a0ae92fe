#!/usr/bin/env python3
"""Converts documents with bytes changed at random, and reports runs that ended badly, the slowest run and the one that used
most memory.

    benches/documents/mutate.py FAUXFAX [--seconds 300] [--seed 1] [--serve] [FILE…]

Without FILE, the documents are those in fixtures/documents and those that tests/documents/make.py makes, two of them also
converted to TIFF. Each run is a process with 1.5 GiB of address space, like the emulator's own renderers, and 20 s. A panic,
a signal, a timeout or a lack of memory counts as bad; a document that is refused with a reason does not. With --serve a
running emulator receives the documents instead, each rendered by a child process, and the growth of its memory is reported.
The exit status is 1 if a run ended in a panic or by a signal, or with --serve if the emulator has ended. Needs Linux."""

import argparse
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
ADDRESS_SPACE_BYTES = 1536 << 20
RUN_S = 20


def seeds(fauxfax, scratch):
    subprocess.run([sys.executable, str(ROOT / "tests/documents/make.py"), str(scratch)], check=True)
    for name in ("text", "photo"):
        subprocess.run([fauxfax, "convert", "--quiet", str(scratch / (name + ".pdf")), str(scratch / (name + ".tiff"))])
    made = [path for path in scratch.iterdir() if path.suffix in (".pdf", ".png", ".tiff")]
    kept = (ROOT / "fixtures/documents").iterdir()
    return sorted(made) + sorted(path for path in kept if path.suffix in (".pdf", ".jpg", ".tif", ".tiff", ".png"))


def mutated(data, chance):
    """Changes, removes or repeats bytes, or cuts off the end."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 2, 4, 8, 32))):
        if not data:
            break
        at = chance.randrange(len(data))
        kind = chance.random()
        if kind < 0.6:
            data[at] = chance.randrange(256)
        elif kind < 0.75:
            # Numbers are often sizes or counts; their extremes reveal missing limits.
            digits = [place for place in range(at, min(at + 200, len(data))) if 48 <= data[place] <= 57]
            for place in digits[:1]:
                data[place : place + 1] = b"%d" % chance.choice((0, 9, 65536, 99999999))
        elif kind < 0.85:
            del data[at : at + chance.randrange(1, 50)]
        elif kind < 0.95:
            data[at:at] = data[max(0, at - chance.randrange(1, 50)) : at]
        elif len(data) > 100:
            del data[max(100, at) :]
    return bytes(data)


def limits():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def convert(fauxfax, path, scratch):
    """Returns how a run ended, its duration in seconds and its peak memory."""
    began = time.monotonic()
    out = scratch / "out.tiff"
    command = [fauxfax, "convert", "--quiet", "--quality", "standard", str(path), str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=limits)
    waited, status, usage = 0, 0, None
    while not waited:
        waited, status, usage = os.wait4(process.pid, os.WNOHANG)
        if not waited and time.monotonic() > began + RUN_S:
            process.kill()
            _, status, usage = os.wait4(process.pid, 0)
            return "too slow", time.monotonic() - began, usage.ru_maxrss * 1024
        time.sleep(0.001)
    said = process.stderr.read().decode(errors="replace")
    process.stderr.close()
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        ended = "out of memory" if "memory allocation" in said else "signal %d" % -code
    elif code == 0:
        ended = "converted"
    else:
        ended = "panic" if "panicked" in said else "refused"
    return ended, time.monotonic() - began, usage.ru_maxrss * 1024


def by_processes(options, paths, scratch, chance):
    counts, slowest, largest, bad = {}, (0, ""), (0, ""), 0
    until, run = time.monotonic() + options.seconds, 0
    path = scratch / "mutated"
    while time.monotonic() < until:
        source = chance.choice(paths)
        path.write_bytes(mutated(source.read_bytes(), chance))
        ended, seconds, memory = convert(options.fauxfax, path, scratch)
        counts[ended] = counts.get(ended, 0) + 1
        name = "run %d of %s, %s" % (run, source.name, ended)
        slowest, largest = max(slowest, (seconds, name)), max(largest, (memory, name))
        if ended not in ("converted", "refused"):
            kept = Path(tempfile.gettempdir()) / ("mutated-%d-%d%s" % (options.seed, run, source.suffix))
            kept.write_bytes(path.read_bytes())
            print("%s: kept as %s" % (name, kept), flush=True)
            bad += ended == "panic" or ended.startswith("signal")
        run += 1
    print("%d runs in %d s: %s" % (run, options.seconds, ", ".join("%d %s" % (n, end) for end, n in sorted(counts.items()))))
    print("slowest %.2f s (%s); largest %.0f MiB (%s)" % (slowest[0], slowest[1], largest[0] / 2**20, largest[1]))
    return bad


def by_an_emulator(options, paths, chance):
    """Sends mutated documents as incoming faxes, and samples the emulator's memory ten times."""
    command = [options.fauxfax, "serve", "--listen", "127.0.0.1:0", "--pace", "max", "--media-budget", "8MiB"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    url = process.stdout.readline().split()[2] + "/_fauxfax/v1/incoming-faxes?wait=true&timeout=30"
    memory = lambda: int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/%d/status" % process.pid).read_text()).group(1)) // 1024
    began, run, answers, seen = time.monotonic(), 0, {}, [memory()]
    while time.monotonic() < began + options.seconds:
        source = chance.choice(paths)
        body = (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\n%s\r\n--x--\r\n" % mutated(source.read_bytes(), chance)
        )
        request = urllib.request.Request(url, body, {"Content-Type": "multipart/form-data; boundary=x"})
        try:
            answer = urllib.request.urlopen(request, timeout=60).status
        except urllib.error.HTTPError as refusal:
            answer = refusal.code
        answers[answer] = answers.get(answer, 0) + 1
        run += 1
        if time.monotonic() > began + options.seconds * len(seen) / 10:
            seen.append(memory())
    print("%d documents received in %d s: %s" % (run, options.seconds, answers))
    print("MiB of the emulator, at ten moments: %s" % seen)
    alive = process.poll() is None
    process.terminate()
    process.wait()
    return not alive


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fauxfax")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--serve", action="store_true")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        paths = options.files or seeds(options.fauxfax, Path(scratch))
        if options.serve:
            bad = by_an_emulator(options, paths, chance)
        else:
            bad = by_processes(options, paths, Path(scratch), chance)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
