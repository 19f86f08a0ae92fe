"""A fax inbox on Twilio Programmable Fax. README.md says how to run it."""

from __future__ import annotations

from flask import Flask
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from werkzeug.middleware.proxy_fix import ProxyFix

from pages import UPLOAD_BYTES_MAX, pages
from settings import Settings
from store import Store
from webhooks import webhooks

API_TIMEOUT_S = 10


def create_app() -> Flask:
    settings = Settings.from_environment()
    store = Store(settings.database)
    client = Client(settings.account_sid, settings.auth_token, http_client=TwilioHttpClient(timeout=API_TIMEOUT_S))
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = UPLOAD_BYTES_MAX
    if settings.trust_proxy:
        # Signatures cover the URL, whose scheme only the proxy knows.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=0, x_proto=1)  # type: ignore[method-assign]
    if settings.password is None:
        app.logger.warning("INBOX_PASSWORD is not set: everybody who can reach this app can read and send faxes")
    app.register_blueprint(webhooks(settings, store))
    app.register_blueprint(pages(settings, store, client))
    return app
