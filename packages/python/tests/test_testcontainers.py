"""Tests of the container module with a real container engine: tests/packages/testcontainers.sh provides one, and the image."""

from __future__ import annotations

import os
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import pytest

IMAGE = os.environ.get("FAUXFAX_IMAGE")
if IMAGE is None:
    pytest.skip("FAUXFAX_IMAGE names no image; tests/packages/testcontainers.sh runs these tests", allow_module_level=True)

from docker.errors import APIError
from testcontainers.core.docker_client import DockerClient

from fauxfax.testcontainers import HOST_NAME, PORT, FauxfaxContainer, default_image

#: With a fixed seed, all runs are the same.
ARGS = ("--pace", "max", "--seed", "7")
#: Engines that don't know host-gateway, such as Podman before 4.7, are given the host's address.
HOST = {"extra_hosts": {HOST_NAME: os.environ["HOST_ADDRESS"]}} if "HOST_ADDRESS" in os.environ else {}


class App:
    """An app on the host that accepts every fax and records the requests, with their Host header."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        app = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                app.requests.append((self.path, self.headers["Host"], form))
                self.send_response(200)
                self.send_header("Content-Type", "text/xml")
                self.end_headers()
                if self.path == "/fax":
                    self.wfile.write(b'<Response><Receive action="/received"/></Response>')

            def log_message(self, format: str, *args: object) -> None:
                pass

        # Containers can't reach the host's 127.0.0.1.
        self.server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def app() -> Iterator[App]:
    app = App()
    yield app
    app.server.shutdown()
    app.server.server_close()


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.read()


def test_an_app_on_the_host_receives_a_fax_and_reads_its_document(app: App) -> None:
    with FauxfaxContainer(IMAGE, **HOST).with_args(*ARGS).with_app_port(app.port) as container:
        url = container.get_url()
        account = container.emulator().account()
        account.number("+15017122661", fax_url=f"http://localhost:{app.port}/fax")
        conversation = account.receive(pages=2)
        assert conversation.outcome == "received"
        assert [(path, host) for path, host, _ in app.requests] == [
            ("/fax", f"localhost:{app.port}"),
            ("/received", f"localhost:{app.port}"),
        ]
        media_url = app.requests[-1][2]["MediaUrl"]
        assert media_url.startswith(url + "/")
        assert fetch(media_url).startswith(b"%PDF-")
        # A command in the container makes links for the host, too.
        received = container.exec(["/fauxfax", "receive", "--fax-url", f"http://localhost:{app.port}/fax", "--wait"])
        assert received.exit_code == 0, received.output
        assert app.requests[-1][2]["MediaUrl"].startswith(url + "/")


def test_a_document_of_the_emulator_itself_is_sent_under_its_url_on_the_host() -> None:
    with FauxfaxContainer(IMAGE).with_args(*ARGS) as container:
        account = container.emulator().account(numbers=["+15017122661"])
        assert account.sample_url().startswith(container.get_url())
        assert account.send("+15558675310", account.sample_url()).status == "delivered"


def test_an_app_without_with_app_port_is_not_called(app: App) -> None:
    with FauxfaxContainer(IMAGE).with_args(*ARGS) as container:
        account = container.emulator().account()
        account.number("+15017122661", fax_url=f"http://localhost:{app.port}/fax")
        assert account.receive().outcome == "not-answered"
        assert app.requests == []


def test_the_client_has_the_control_token() -> None:
    with FauxfaxContainer(IMAGE).with_control_token("secret") as container:
        assert container.emulator().health()["version"]
        with pytest.raises(urllib.error.HTTPError) as refused:
            fetch(container.get_url() + "/_fauxfax/v1/health")
        assert refused.value.code == 401
        refused.value.close()


def test_a_port_of_the_host_can_be_chosen() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with FauxfaxContainer(IMAGE).with_bind_ports(PORT, port) as container:
        assert container.get_url() == f"http://localhost:{port}"
        assert fetch(container.get_url() + "/readyz").strip() == b"ok"


def test_another_port_is_tried_if_the_first_has_been_taken() -> None:
    ports = []

    class Unlucky(FauxfaxContainer):
        def _publish(self, host: str) -> int:
            port = super()._publish(host)
            if not ports:
                port = taken.getsockname()[1]
                self.ports[str(PORT)] = ("127.0.0.1", port)
            ports.append(port)
            return port

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with Unlucky(IMAGE) as container:
            assert len(ports) == 2
            assert container.get_url() == f"http://localhost:{ports[1]}"
            engine = container.get_docker_client().client
            assert [left.id for left in engine.containers.list(all=True)] == [container.get_container_id()]


def test_a_chosen_port_that_has_been_taken_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        with pytest.raises(APIError, match=r"address already in use|port is already allocated"):
            FauxfaxContainer(IMAGE).with_bind_ports(PORT, taken.getsockname()[1]).__enter__()


def test_containers_get_the_name_of_the_host_and_keep_settings_of_yours(monkeypatch: pytest.MonkeyPatch) -> None:
    created: dict[str, object] = {}

    class Created(Exception):
        pass

    def create(_: DockerClient, image: str, **settings: object) -> None:
        created.update(settings, image=image)
        raise Created

    monkeypatch.setattr(DockerClient, "create", create)
    container = FauxfaxContainer("fauxfax:test", extra_hosts={"db": "192.0.2.7"}).with_app_port(3000).with_app_port(4000)
    container.with_env("FAUXFAX_CONNECT_TO", "app.example.com=other")
    with pytest.raises(Created):
        container.start()
    assert created["image"] == "fauxfax:test"
    assert created["extra_hosts"] == {HOST_NAME: "host-gateway", "db": "192.0.2.7"}
    (_, port) = created["ports"][str(PORT)]
    assert created["environment"] == {
        "FAUXFAX_PUBLIC_URL": f"http://localhost:{port}",
        "FAUXFAX_CONNECT_TO": ",".join(
            [
                "app.example.com=other",
                f"localhost:3000={HOST_NAME},127.0.0.1:3000={HOST_NAME}",
                f"localhost:4000={HOST_NAME},127.0.0.1:4000={HOST_NAME}",
                f"localhost:{port}=127.0.0.1:{PORT},127.0.0.1:{port}=127.0.0.1:{PORT}",
            ]
        ),
    }


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_no_app_can_have_is_refused(port: int) -> None:
    with pytest.raises(ValueError, match="must be between 1 and 65535"):
        FauxfaxContainer(IMAGE).with_app_port(port)


def test_the_default_image_is_that_of_the_installed_version(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = tmp_path / "fauxfax-7.8.9.dist-info" / "METADATA"
    metadata.parent.mkdir()
    lines = ["Metadata-Version: 2.4", "Name: fauxfax", "Version: 7.8.9"]
    metadata.write_text("\n".join([*lines, "Project-URL: Repository, https://github.com/Some-Owner/fauxfax", ""]))
    monkeypatch.syspath_prepend(tmp_path)
    assert default_image() == "ghcr.io/some-owner/fauxfax:7.8.9"
    metadata.write_text("\n".join([*lines, ""]))
    with pytest.raises(LookupError, match="name no repository"):
        default_image()
