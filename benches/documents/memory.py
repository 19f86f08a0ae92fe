#!/usr/bin/env python3
"""Measures the memory of `fauxfax serve` while many long documents are in flight.

    benches/documents/memory.py FAUXFAX [--documents N] [--pages N]

An emulator at the pace of a real line sends 100 faxes whose transmissions overlap, each with another document of 50 pages from
a local server.
The emulator's VmRSS is read after each create, and then every 50 ms until all faxes are being sent, or for ten minutes. The
figure that is printed last is the peak memory without the documents themselves (as fetched, and as fax pages). Needs Linux."""

import argparse
import base64
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "documents"))
import make  # noqa: E402

MIB = 1 << 20


def serve(documents):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = documents[int(self.path.strip("/").split(".")[0])]
            self.send_response(200)
            self.send_header("Content-Type", "application/pdf")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://127.0.0.1:%d" % server.server_port


def rss(pid):
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/%d/status" % pid).read_text()).group(1)) * 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fauxfax")
    parser.add_argument("--documents", type=int, default=100)
    parser.add_argument("--pages", type=int, default=50)
    options = parser.parse_args()
    numbers = range(options.documents)
    documents = [make.pdf([(make.text(n * 1000 + page), None) for page in range(options.pages)]) for n in numbers]
    origin = serve(documents)
    folder = tempfile.TemporaryDirectory()
    command = [options.fauxfax, "serve", "--listen", "127.0.0.1:0", "--pace", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder.name)
    # The line is: fauxfax ready URL account AC… token …
    _, _, url, _, account, _, token = process.stdout.readline().split()

    def call(path, form=None):
        data = urllib.parse.urlencode(form).encode() if form else None
        request = urllib.request.Request(url + path, data)
        request.add_header("Authorization", "Basic " + base64.b64encode((account + ":" + token).encode()).decode())
        return json.load(urllib.request.urlopen(request))

    at_rest, seen = rss(process.pid), []
    for number in numbers:
        form = {"To": "+15558675310", "From": "+15017122661", "MediaUrl": "%s/%d.pdf" % (origin, number)}
        call("/v1/Faxes", form)
        seen.append(rss(process.pid))
    began, statuses = time.monotonic(), {}
    while statuses != {"sending": options.documents} and time.monotonic() < began + 600:
        for _ in range(20):
            seen.append(rss(process.pid))
            time.sleep(0.05)
        faxes = call("/v1/Faxes?PageSize=1000")["faxes"]
        statuses = {status: sum(fax["status"] == status for fax in faxes) for status in {fax["status"] for fax in faxes}}
    health = call("/_fauxfax/v1/health")
    inputs, media = sum(map(len, documents)), health["counts"]["media_bytes"]
    print("statuses after %.0f s: %s" % (time.monotonic() - began, statuses))
    print("at rest %.1f MiB, peak %.1f MiB, now %.1f MiB" % (at_rest / MIB, max(seen) / MIB, seen[-1] / MIB))
    print("documents as fetched %.1f MiB, media %.1f MiB" % (inputs / MIB, media / MIB))
    print("beyond both %.1f MiB" % ((max(seen) - inputs - media) / MIB))
    process.terminate()
    process.wait()


if __name__ == "__main__":
    main()
