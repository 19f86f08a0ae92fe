"""The emulator of these tests, an account for each of them, and an app that receives its webhooks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import pytest

import fauxfax

pytest_plugins = ["pytester"]


class App:
    """An app that accepts every fax and records the requests that it gets."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.statuses: dict[str, int] = {}
        app = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
                app.requests.append((self.path, dict(parse_qsl(body))))
                self.send_response(app.statuses.get(self.path, 200))
                self.send_header("Content-Type", "text/xml")
                self.end_headers()
                if self.path == "/fax":
                    self.wfile.write(b'<Response><Receive action="/received"/></Response>')

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def notified(self, path: str, parameter: str) -> list[str]:
        """Lists the values of a parameter in the requests to a path."""
        return [params[parameter] for called, params in self.requests if called == path]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def app() -> Iterator[App]:
    app = App()
    yield app
    app.stop()


@pytest.fixture(scope="session")
def emulator() -> Iterator[fauxfax.Emulator]:
    with fauxfax.Emulator.start(seed=7) as emulator:
        yield emulator


@pytest.fixture
def account(emulator: fauxfax.Emulator) -> Iterator[fauxfax.Account]:
    account = emulator.account(numbers=["+15017122661"])
    yield account
    account.delete()


@pytest.fixture
def inbox(account: fauxfax.Account, app: App) -> fauxfax.Account:
    """The account, with its number's faxes going to the app."""
    account.number(fax_url=f"{app.url}/fax")
    return account
