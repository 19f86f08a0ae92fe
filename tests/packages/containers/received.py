"""Reads, from standard input, what app.py printed, and checks that the app was called for one fax and could read its document.

    received.py HOST ORIGIN       HOST is what the Host header must be, ORIGIN what links must begin with
"""

import json
import sys


def main(host, origin):
    calls = [json.loads(line) for line in sys.stdin if line.startswith("{")]
    paths = [call["path"] for call in calls]
    expect("calls of the app", paths, ["/fax", "/fax/received"])
    expect("Host headers", {call["host"] for call in calls}, {host})
    received = calls[1]
    expect("FaxStatus", received["params"]["FaxStatus"], "received")
    expect("the document's first bytes", received["media"], "%PDF-")
    link = received["params"]["MediaUrl"]
    if not link.startswith(origin + "/"):
        sys.exit(f"MediaUrl is {link}, which doesn't begin with {origin}/")
    print(f"called at {host}, read {link.partition('?')[0]}")


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found} instead of {wanted}")


if __name__ == "__main__":
    main(*sys.argv[1:])
