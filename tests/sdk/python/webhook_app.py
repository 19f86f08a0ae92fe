"""A Flask app for webhooks: it responds as a test specifies, records every request, and checks the signature with the
library's validator, both for the request as received and for changed ones, which must be refused."""

import threading

from flask import Flask, Response, request
from twilio.request_validator import RequestValidator
from werkzeug.serving import make_server

PATIENCE_S = 20


class Exchange:
    """A request that the emulator made, and the verdict of the library's validator on it."""

    def __init__(self, app):
        # The body is read before anything parses the form, because tests check the order of the parts in a multipart body.
        self.body = request.get_data(cache=True)
        self.method = request.method
        self.path = request.path
        raw_path = request.environ["RAW_URI"]
        self.url = "http://%s%s" % (request.headers["Host"], raw_path)
        self.longer_path = self.url.replace(raw_path, raw_path.replace("?", "x?", 1) if "?" in raw_path else raw_path + "x")
        self.headers = dict(request.headers)
        self.query = request.args.to_dict()
        self.form = request.form.to_dict()
        self.repeated = [name for name in request.form if len(request.form.getlist(name)) > 1]
        self.files = {
            name: (file.filename, file.mimetype, file.read()) for name, file in request.files.items()
        }
        self.params = self.form if self.method == "POST" else self.query
        # Flask compares header names without regard to case.
        self.signature = request.headers.get(app.signature_header, "")
        self.check(app.validator(app.token), app.validator(app.token[:-1] + "~"), request.form)

    def check(self, validator, stranger, form):
        """Calls the validator as a Flask app does, with the parsed form, which is empty for GET."""
        signature = self.signature
        self.is_valid = validator.validate(self.url, form, signature)
        changed = dict(form)
        changed["FaxSid"] = "FX" + "0" * 32
        mark = "&" if "?" in self.url else "?"
        self.is_valid_though_changed = {
            what: accepted
            for what, accepted in {
                "a parameter": validator.validate(self.url, changed, signature),
                "the path": validator.validate(self.longer_path, form, signature),
                "the query": validator.validate(self.url + mark + "x=1", form, signature),
                "the token": stranger.validate(self.url, form, signature),
                "no signature": validator.validate(self.url, form, ""),
            }.items()
            if accepted
        }


class WebhookApp:
    """The app. `answers` maps a path to a response, or to a function that returns one."""

    # What all requests of a service have in common.
    validator = RequestValidator
    signature_header = "X-Twilio-Signature"
    user_agent = "TwilioProxy/1.1"
    signs_documents = True

    def __init__(self, token):
        self.answers = {}
        self.exchanges = []
        self.news = threading.Condition()
        self.faults = []
        app = Flask("customer")
        app.add_url_rule("/<path:path>", view_func=self.take, methods=["GET", "POST"])
        self.token = token
        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def take(self, path):
        try:
            exchange = Exchange(self)
            with self.news:
                self.exchanges.append(exchange)
                self.news.notify_all()
            answer = self.answers["/" + path]
            answer = answer(exchange) if callable(answer) else answer
        except Exception as fault:  # reported by `stop`, in the thread of the test
            self.faults.append(fault)
            raise
        if not isinstance(answer, (str, type(None))) and type(answer).__module__.startswith(("twilio.", "signalwire.")):
            answer = Response(str(answer), content_type="text/xml")
        return ("", 204) if answer is None else answer

    def serve(self, path, body, content_type="application/pdf"):
        self.answers[path] = lambda _: Response(body, content_type=content_type)
        return self.url + path

    def lock(self, path):
        """Protects the path with HTTP Basic authentication: the credential is user:pass."""
        unlocked = self.answers[path]

        def challenge(exchange):
            if exchange.headers.get("Authorization") == "Basic dXNlcjpwYXNz":
                return unlocked(exchange) if callable(unlocked) else unlocked
            return "who are you?", 401, {"WWW-Authenticate": 'Basic realm="customer"'}

        self.answers[path] = challenge

    def of(self, path):
        with self.news:
            return [exchange for exchange in self.exchanges if exchange.path == path]

    def await_requests(self, path, count=1):
        """Waits until `count` requests have come to a path, and returns all of them so far."""
        with self.news:
            arrived = self.news.wait_for(
                lambda: sum(exchange.path == path for exchange in self.exchanges) >= count, PATIENCE_S
            )
        assert arrived, "%d of %d requests came to %s" % (len(self.of(path)), count, path)
        return self.of(path)

    def stop(self):
        """Stops the app, and checks what must be true of every request."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        assert not self.faults, self.faults
        for exchange in self.exchanges:
            at = "%s %s" % (exchange.method, exchange.url)
            assert exchange.headers["User-Agent"].startswith(self.user_agent), at
            if not self.signs_documents and exchange.method == "GET" and exchange.path.endswith((".pdf", ".tiff")):
                continue
            assert exchange.is_valid, "the validator refuses " + at
            assert exchange.is_valid_though_changed == {}, at
            assert exchange.repeated == [], at
            assert "" not in exchange.form.values(), at
