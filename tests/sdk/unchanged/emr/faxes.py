"""The fax part of a medical record system that talks to SignalWire by raw HTTP, as such systems do. Nothing here knows of an
emulator: the space is one of SignalWire's, and documents are fetched from SignalWire's hosts only."""

import base64
import hashlib
import hmac
import urllib.parse

import requests

FILES_HOST = "files.signalwire.com"
# A media_url comes from outside, so fetching it must not reach a host of the internal network.
MEDIA_HOSTS = {FILES_HOST, "api.signalwire.com"}
FINAL = {"delivered", "received", "no-answer", "busy", "failed", "canceled"}


class FaxError(Exception):
    def __init__(self, response):
        super().__init__("%d %s: %s" % (response.status_code, response.url, response.text))
        self.status = response.status_code
        self.code = response.json().get("code")


class Faxes:
    def __init__(self, space, project, token, signing_key):
        self.host = space.split("://")[-1].rstrip("/")
        self.base = "https://%s/api/laml/2010-04-01/Accounts/%s" % (self.host, project)
        self.token = token
        self.signing_key = signing_key
        self.session = requests.Session()
        self.session.auth = (project, token)

    def call(self, method, url, **options):
        response = self.session.request(method, url, timeout=30, headers={"Accept": "application/json"}, **options)
        if response.status_code >= 400:
            raise FaxError(response)
        return response.json() if response.content else None

    def send(self, to, sender, media_url, callback):
        form = {"To": to, "From": sender, "MediaUrl": media_url, "StatusCallback": callback, "Quality": "fine"}
        return self.call("POST", self.base + "/Faxes.json", data=form)

    def fetch(self, sid):
        return self.call("GET", "%s/Faxes/%s" % (self.base, sid))

    def cancel(self, sid):
        return self.call("POST", "%s/Faxes/%s.json" % (self.base, sid), data={"Status": "canceled"})

    def delete(self, sid):
        self.call("DELETE", "%s/Faxes/%s" % (self.base, sid))

    def media(self, sid):
        return self.call("GET", "%s/Faxes/%s/Media.json" % (self.base, sid))["fax_media"]

    def created_between(self, after, until, page_size):
        """Yields the faxes of a period, newest first, and fetches the list page by page."""
        # isoformat writes +00:00, not Z.
        query = {
            "DateCreatedAfter": after.isoformat(),
            "DateCreatedOnOrBefore": until.isoformat(),
            "PageSize": page_size,
        }
        page = self.call("GET", self.base + "/Faxes", params=query)
        while True:
            yield from page["faxes"]
            if page["next_page_uri"] is None:
                return
            page = self.call("GET", "https://" + self.host + page["next_page_uri"])

    def document(self, media_url):
        """Returns the media type and the bytes of a fax's document."""
        url = urllib.parse.urlsplit(media_url)
        if url.scheme != "https" or url.hostname not in MEDIA_HOSTS or url.port not in (None, 443):
            raise ValueError("no document is fetched from " + media_url)
        if url.hostname == FILES_HOST:
            login = {"headers": {"Authorization": "Bearer " + self.token}}
        else:
            login = {"auth": self.session.auth}
        response = requests.get(media_url, timeout=30, allow_redirects=False, **login)
        if response.status_code != 200:
            raise ValueError("%d %s" % (response.status_code, media_url))
        return response.headers["Content-Type"], response.content

    def answer_at(self, phone_number, url):
        """Makes a number of the project accept faxes: for each one, SignalWire requests cXML from this URL."""
        numbers = self.base + "/IncomingPhoneNumbers"
        number, = self.call("GET", numbers + ".json", params={"PhoneNumber": phone_number})["incoming_phone_numbers"]
        form = {"VoiceReceiveMode": "fax", "VoiceUrl": url, "VoiceMethod": "POST"}
        self.call("POST", "%s/%s.json" % (numbers, number["sid"]), data=form)

    def is_signed(self, url, form, headers):
        """Returns whether a callback comes from SignalWire. `url` is the configured one, with its query."""
        signed = url + "".join(name + form[name] for name in sorted(form))
        digest = hmac.new(self.signing_key.encode(), signed.encode(), hashlib.sha1).digest()
        signature = headers.get("X-SignalWire-Signature") or headers.get("X-Twilio-Signature") or ""
        return hmac.compare_digest(base64.b64encode(digest).decode(), signature)
