"""An app whose client isn't configured for an emulator: it sends faxes, pages through the list and downloads a document."""

import os

import requests
from twilio.rest import Client

client = Client()
sample = os.environ["FAUXFAX_URL"] + "/_fauxfax/v1/samples/one-page.pdf"
sent = [
    client.fax.faxes.create(from_="+15005550006", to="+15558675310", media_url=sample).sid for _ in range(2)
]
assert [fax.sid for fax in client.fax.faxes.list(page_size=1)] == sent[::-1]
wait = os.environ["FAUXFAX_URL"] + "/_fauxfax/v1/wait"
requests.get(wait, params={"fax": sent[0], "status": "delivered", "timeout": 20}, timeout=30).raise_for_status()
fax = client.fax.faxes(sent[0]).fetch()
assert fax.url.startswith("https://fax.twilio.com/"), fax.url
assert requests.get(fax.media_url, timeout=30).content.startswith(b"%PDF-")
assert client.incoming_phone_numbers.list()[0].phone_number == "+15005550006"
