"""Tests with faxes. Run them with: fauxfax exec -- pytest"""

import json
import os
import urllib.request


def fauxfax(path, body=None):
    """Calls the control API, through which tests drive the emulator."""
    url = os.environ["FAUXFAX_URL"] + "/_fauxfax/v1" + path
    with urllib.request.urlopen(url, None if body is None else json.dumps(body).encode()) as response:
        return json.load(response)


def test_a_fax_is_received():
    conversation = fauxfax("/incoming-faxes?wait=true", {"pages": 2})
    assert conversation["outcome"] == "received"
    assert conversation["fax"]["num_pages"] == 2
