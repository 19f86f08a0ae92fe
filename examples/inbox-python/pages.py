"""What people see: the page with all faxes and a form for a new one, and the document of each fax."""

from __future__ import annotations

import hmac
import re
import secrets

import requests
from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as Redirection

from settings import Settings
from store import Store
from webhooks import download

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
UPLOAD_BYTES_MAX = 10_000_000


def pages(settings: Settings, store: Store, client: Client) -> Blueprint:
    routes = Blueprint("pages", __name__)

    @routes.before_request
    def protect() -> Response | None:
        if settings.password is not None:
            login = request.authorization
            password = (login.password if login else None) or ""
            if not hmac.compare_digest(password.encode(), settings.password.encode()):
                challenge = {"WWW-Authenticate": 'Basic realm="Fax inbox", charset="UTF-8"'}
                return Response("A password is needed to see the faxes.", 401, challenge)
        # A browser that knows the password also sends it with a form on another site's page.
        if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            abort(403, "The form must be sent from the inbox's own page.")
        return None

    def page(errors: dict[str, str], status: int = 200) -> tuple[str, int]:
        # If the upload is too large, the form can't be read.
        form = {} if status == 413 else request.form
        faxes = {direction: store.newest(direction) for direction in ("inbound", "outbound")}
        return render_template("inbox.html", number=settings.fax_number, form=form, errors=errors, **faxes), status

    @routes.get("/")
    def inbox() -> tuple[str, int]:
        return page({})

    @routes.post("/")
    def send() -> Redirection | tuple[str, int]:
        to = re.sub(r"[\s().-]", "", request.form.get("to", ""))
        url = request.form.get("url", "").strip()
        upload = request.files.get("document")
        document = upload.read() if upload else None
        errors = mistakes(to, url, upload.filename if upload else None, document)
        if errors:
            return page(errors, 422)
        # Links to the fax contain its id, so nobody must be able to guess it.
        fax_id = secrets.token_urlsafe(24)
        store.add(fax_id, "outbound", to, "queued", document)
        try:
            client.fax.faxes.create(
                from_=settings.fax_number,
                to=to,
                media_url=url or settings.public_url + url_for("webhooks.media", fax_id=fax_id),
                status_callback=settings.public_url + url_for("webhooks.status", fax_id=fax_id),
            )
        except (TwilioException, requests.RequestException) as error:
            store.delete(fax_id)
            current_app.logger.exception("could not send a fax to %s", to)
            return page({"form": f"The fax was not sent: {reason(error)}"}, 502)
        return redirect(url_for("pages.inbox"), 303)

    @routes.errorhandler(413)
    def too_large(_: HTTPException) -> tuple[str, int]:
        return page({"document": f"The document is larger than {UPLOAD_BYTES_MAX // 1_000_000} MB."}, 413)

    @routes.get("/faxes/<fax_id>.pdf")
    def document(fax_id: str) -> Response:
        fax = store.find(fax_id)
        if fax is None or not fax.has_document:
            abort(404, "There is no such document.")
        content = store.document(fax_id)
        if content is None:
            try:
                content = download(client.fax.faxes(fax.sid).fetch().media_url)
            except (TwilioException, requests.RequestException):
                current_app.logger.exception("could not fetch the document of %s", fax.sid)
                abort(502, "The document can't be fetched from Twilio at the moment.")
            store.set_document(fax_id, content)
        return Response(content, mimetype="application/pdf", headers={"Cache-Control": "private"})

    return routes


def reason(error: Exception) -> str:
    if isinstance(error, TwilioRestException):
        return str(error.msg).removeprefix("Unable to create record: ")
    return "Twilio can't be reached."


def mistakes(to: str, url: str, filename: str | None, document: bytes | None) -> dict[str, str]:
    """Returns a message for each field of the form that is wrong."""
    errors = {}
    if not E164.fullmatch(to):
        errors["to"] = "Write the number with its country code, such as +1 555 867 5310."
    if (document is None) == (url == ""):
        errors["document"] = "Choose a PDF, or give the address of one, but not both."
    elif document is not None and not document.startswith(b"%PDF-"):
        errors["document"] = f"{filename} is not a PDF. Only PDF documents can be faxed."
    elif url and not url.startswith(("http://", "https://")):
        errors["url"] = "The address must begin with https:// or http://."
    return errors
