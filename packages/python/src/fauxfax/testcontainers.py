"""Runs the emulator in a container, for tests with Testcontainers: pip install "fauxfax[testcontainers]".

    from fauxfax.testcontainers import FauxfaxContainer

    with FauxfaxContainer().with_app_port(3000) as container:
        account = container.emulator().account()

If your app runs in Docker as well, it needs no port of the host: put both containers into one network.
"""

from __future__ import annotations

import importlib.metadata
import re
import socket
from typing import TYPE_CHECKING, Any

from docker.errors import APIError
from testcontainers.core.config import ConnectionMode
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

if TYPE_CHECKING:
    from typing_extensions import Self

    from fauxfax import Emulator

#: The port that the emulator listens on in its container.
PORT = 8329
#: The name of the host in containers.
HOST_NAME = "host.docker.internal"
#: The host names in URLs that stand for the host itself.
LOOPBACK_NAMES = ("localhost", "127.0.0.1")
#: How many free ports are tried if another program takes them before the container does.
START_ATTEMPTS = 3
#: What Docker and Podman report in that case.
PORT_TAKEN = re.compile(r"port is already allocated|address already in use")


class FauxfaxContainer(DockerContainer):
    """A container with the emulator. The default image has the version of this package."""

    def __init__(self, image: str | None = None, **kwargs: Any) -> None:
        super().__init__(image or default_image(), **kwargs)
        self._app_ports: list[int] = []
        self.with_exposed_ports(PORT)
        self.waiting_for(HttpWaitStrategy(PORT, "/readyz"))

    def with_args(self, *args: str) -> Self:
        """Passes flags to `fauxfax serve`, such as "--pace", "max"."""
        return self.with_command(["serve", *args])

    def with_control_token(self, token: str) -> Self:
        """Protects the control API and the console with a token, which `emulator()` sends."""
        return self.with_env("FAUXFAX_CONTROL_TOKEN", token)

    def with_app_port(self, port: int) -> Self:
        """Lets the emulator reach your app at http://localhost:PORT, where PORT is this port of the host.

        Only the connection is redirected: URL, Host header and signature stay those of http://localhost:PORT. With Docker on
        Linux, the app must listen on an address that containers can reach, such as 0.0.0.0.
        """
        if not 0 < port < 65536:
            raise ValueError(f"the port of your app must be between 1 and 65535, not {port}")
        self._app_ports.append(port)
        return self

    def get_url(self) -> str:
        """Returns the emulator's URL for programs on the host."""
        return f"http://{self.get_container_host_ip()}:{self.get_exposed_port(PORT)}"

    def emulator(self) -> Emulator:
        """Returns a client of the emulator."""
        from fauxfax import Emulator  # Imported only when it is used, like every module of the package.

        return Emulator.at(self.get_url(), control_token=self.env.get("FAUXFAX_CONTROL_TOKEN"))

    def start(self) -> Self:
        env, ports, kwargs = self.env, self.ports, self._kwargs
        attempts_left = START_ATTEMPTS
        try:
            while True:
                attempts_left -= 1
                self.env, self.ports, self._kwargs = dict(env), dict(ports), dict(kwargs)
                self._connect()
                try:
                    return super().start()
                except APIError as error:
                    is_yours = ports[str(PORT)] is not None
                    if attempts_left == 0 or is_yours or not PORT_TAKEN.search(str(error)):
                        raise
                    # The container exists, although it could not start.
                    if self._container is not None:
                        self._container.remove(force=True)
        finally:
            self.env, self.ports, self._kwargs = env, ports, kwargs

    def _connect(self) -> None:
        """Sets how the emulator reaches the app and itself, and how the app reaches the emulator."""
        rules = [f"{name}:{port}={HOST_NAME}" for port in self._app_ports for name in LOOPBACK_NAMES]
        if self._app_ports:
            # Docker Desktop knows the name by itself; Docker on Linux does not.
            self._kwargs["extra_hosts"] = {HOST_NAME: "host-gateway", **self._kwargs.get("extra_hosts", {})}
        client = self.get_docker_client()
        if client.get_connection_mode() is ConnectionMode.docker_host:
            host = client.host()
            port = self._publish(host)
            # A document's URL may be the emulator's own, whose port is a different one in the container.
            rules += [f"{name}:{port}=127.0.0.1:{PORT}" for name in dict.fromkeys([host, *LOOPBACK_NAMES])]
            if self._app_ports:
                self.env.setdefault("FAUXFAX_PUBLIC_URL", f"http://{host}:{port}")
        given = self.env.get("FAUXFAX_CONNECT_TO")
        self.env["FAUXFAX_CONNECT_TO"] = ",".join([given, *rules] if given else rules)

    def _publish(self, host: str) -> int:
        """Returns the emulator's port on the host: yours, or else a free one, chosen now since the emulator must know it."""
        port = self.ports[str(PORT)]
        if port is None:
            with socket.socket() as listener:
                listener.bind(("", 0))
                port = listener.getsockname()[1]
            # Whoever reaches the port can use the control API, so it is not published to other machines without need.
            self.ports[str(PORT)] = ("127.0.0.1", port) if host in LOOPBACK_NAMES else port
        return port


def default_image() -> str:
    """Returns the name of the image that was released with this package."""
    try:
        package = importlib.metadata.metadata("fauxfax")
    except importlib.metadata.PackageNotFoundError:
        raise LookupError(
            "the package fauxfax is not installed, so its version is unknown; name the image: FauxfaxContainer(IMAGE)"
        ) from None
    urls = "\n".join(package.get_all("Project-URL") or [])
    repository = re.search(r"//github\.com/([^/\s]+/[^/\s]+)$", urls, re.MULTILINE)
    if repository is None:
        raise LookupError("the metadata of the package fauxfax name no repository; name the image: FauxfaxContainer(IMAGE)")
    return f"ghcr.io/{repository[1].lower()}:{package['Version']}"
