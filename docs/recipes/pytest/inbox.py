"""A fax inbox in Flask, as an app would be written. It reads Twilio's address from its configuration, and nothing in it
knows that it is being tested."""

import requests
from flask import Flask, Response, abort, request
from twilio.request_validator import RequestValidator

# How often a busy number is called again. A line may be busy for hours, and each attempt costs a fax.
REDIALS_MAX = 3


def create_app(config):
    """`config` has FAX_API (https://fax.twilio.com in production), ACCOUNT_SID, AUTH_TOKEN, NUMBER and PUBLIC_URL."""
    app = Flask(__name__)
    app.config.update(config)
    app.inbox = {}
    app.sent = {}
    app.redials = {}

    @app.before_request
    def refuse_forgeries():
        # The URL that Twilio signed, even if a proxy in front of the app speaks https.
        url = app.config["PUBLIC_URL"] + request.full_path.rstrip("?")
        signature = request.headers.get("X-Twilio-Signature", "")
        if not RequestValidator(app.config["AUTH_TOKEN"]).validate(url, request.form, signature):
            abort(403)

    @app.post("/fax")
    def accept():
        return Response('<Response><Receive action="/fax/received"/></Response>', mimetype="text/xml")

    @app.post("/fax/received")
    def received():
        if request.form["FaxStatus"] == "received":
            app.inbox[request.form["FaxSid"]] = request.form["MediaUrl"]
        return "", 204

    @app.post("/fax/status")
    def status():
        app.sent[request.form["FaxSid"]] = request.form["FaxStatus"]
        fax = (request.form["To"], request.form["OriginalMediaUrl"])
        if request.form["FaxStatus"] == "busy" and app.redials.get(fax, 0) < REDIALS_MAX:
            app.redials[fax] = app.redials.get(fax, 0) + 1
            send(*fax)
        return "", 204

    def send(to, media_url):
        answer = requests.post(
            app.config["FAX_API"] + "/v1/Faxes",
            auth=(app.config["ACCOUNT_SID"], app.config["AUTH_TOKEN"]),
            data={
                "From": app.config["NUMBER"],
                "To": to,
                "MediaUrl": media_url,
                "StatusCallback": app.config["PUBLIC_URL"] + "/fax/status",
            },
            timeout=10,
        )
        answer.raise_for_status()
        return answer.json()["sid"]

    app.send = send
    return app
