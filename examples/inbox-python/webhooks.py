"""The requests that Twilio makes: for the TwiML of an incoming fax, to report how it ended, to report each status of an
outgoing fax, and for the document to send."""

from __future__ import annotations

import requests
from flask import Blueprint, Response, abort, current_app, request, url_for
from twilio.request_validator import RequestValidator
from twilio.twiml.fax_response import FaxResponse

from settings import Settings
from store import Store

# The library has no builder for this verb.
REJECT = "<Response><Reject/></Response>"
# The time limits for connecting, and for each read. The app downloads before it responds to the webhook, for which
# Twilio waits 15 seconds.
DOWNLOAD_TIMEOUTS_S = (3, 8)


def webhooks(settings: Settings, store: Store) -> Blueprint:
    routes = Blueprint("webhooks", __name__)
    validator = RequestValidator(settings.auth_token)

    @routes.before_request
    def refuse_forgeries() -> None:
        """Requires Twilio's signature on every request of this blueprint, including the one for the document."""
        if not validator.validate(requested_url(), request.form, request.headers.get("X-Twilio-Signature", "")):
            current_app.logger.warning("refused a request without a valid signature for %s", requested_url())
            abort(403, "The signature is missing or invalid.")

    @routes.post("/fax")
    def incoming() -> Response:
        sender = request.form["From"]
        if sender in settings.blocked_numbers:
            return Response(REJECT, mimetype="text/xml")
        store.add(request.form["FaxSid"], "inbound", sender, "receiving")
        twiml = FaxResponse()
        twiml.receive(action=url_for("webhooks.received"))
        return Response(str(twiml), mimetype="text/xml")

    @routes.post("/fax/received")
    def received() -> tuple[str, int]:
        sid = request.form["FaxSid"]
        if advance(sid) and request.form["FaxStatus"] == "received":
            try:
                store.set_document(sid, download(request.form["MediaUrl"]))
            except requests.RequestException:
                # pages.py downloads the document when somebody opens it.
                current_app.logger.exception("could not download the document of %s", sid)
        return "", 204

    @routes.post("/fax/status/<fax_id>")
    def status(fax_id: str) -> tuple[str, int]:
        advance(fax_id)
        return "", 204

    @routes.get("/media/<fax_id>.pdf")
    def media(fax_id: str) -> Response:
        return Response(store.document(fax_id) or abort(404), mimetype="application/pdf")

    def advance(fax_id: str) -> bool:
        form = request.form
        pages = form.get("NumPages", type=int)
        return store.advance(fax_id, form["FaxSid"], form["FaxStatus"], pages, form.get("ErrorMessage"))

    return routes


def requested_url() -> str:
    """The URL as it was requested and signed; Flask's request.url decodes what is percent-encoded."""
    query = request.query_string.decode("ascii", "replace")
    return f"{request.base_url}?{query}" if query else request.base_url


def download(url: str) -> bytes:
    """Downloads a document from Twilio, whose links are valid for two hours."""
    response = requests.get(url, headers={"User-Agent": "fax-inbox"}, timeout=DOWNLOAD_TIMEOUTS_S)
    response.raise_for_status()
    return response.content
