"""The HTTP client of one emulator, for its control API and its REST API."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Union
from urllib.parse import quote, urlencode, urlsplit

from .errors import EmulatorUnreachableError, FauxfaxError, RestError, WaitTimeoutError, problem_of

if TYPE_CHECKING:
    from http.client import HTTPConnection

#: A document: its path, its bytes, or a file that is open for reading bytes.
Document = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, IO[bytes]]

_BASE = "/_fauxfax/v1"
# Connecting takes no time, since the emulator is on this machine or near it.
_CONNECT_TIMEOUT_S = 10.0
# How long a response may take, beyond the time that the call itself waits.
_RESPONSE_TIMEOUT_S = 60.0
# The maximum size of a response. The largest is a world's state, which contains its documents.
_RESPONSE_BYTES_MAX = 1024 * 1024 * 1024
_PIECE_BYTES = 256 * 1024
# The emulator's limit on a document. The emulator cuts a longer upload off, and its response may then be lost.
_DOCUMENT_BYTES_MAX = 64 * 1024 * 1024
# What a URL may contain, besides letters and digits; everything else is encoded.
_URL_PUNCTUATION = "-._~:/?#[]@!$&'()*+,;=%"
# Too long to occur in a document by chance.
_BOUNDARY = "fauxfax-2f9b64c1d07e4a53b8c6"


@dataclass(frozen=True)
class Connection:
    """The address of an emulator, and the token of its control API. Any thread may use it: each call has its own socket."""

    url: str
    control_token: str | None = field(default=None, repr=False)

    def control(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        wait_s: float = 0,
    ) -> Any:
        """Calls the control API and returns its JSON; None if the response is empty."""
        sent = None if body is None else _json(body)
        return self.control_json(method, path, query, sent, "application/json", wait_s)

    def control_json(
        self, method: str, path: str, query: Mapping[str, object] | None, body: bytes | None, content_type: str, wait_s: float
    ) -> Any:
        """Calls the control API with a body of any type, and returns its JSON; None if the response is empty."""
        received = self.control_bytes(method, path, query, body, content_type, wait_s)
        return _parsed(self.url, received) if received else None

    def control_bytes(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        wait_s: float = 0,
    ) -> bytes:
        """Calls the control API and returns the body of its response."""
        headers = {} if body is None else {"Content-Type": content_type}
        if self.control_token:
            headers["Authorization"] = f"Bearer {self.control_token}"
        status, received = self._call(method, _BASE + _with_query(path, query), headers, body, wait_s)
        if status < 400:
            return received
        problem = _parsed(self.url, received)
        if not isinstance(problem, dict) or "detail" not in problem:
            raise foreign(self.url)
        error = problem_of(status, problem)
        if isinstance(error, WaitTimeoutError) and _is_on_event_loop():
            raise WaitTimeoutError(
                status,
                error.name,
                error.title,
                f"{error.detail}; the call blocked the event loop meanwhile, so an app on the same loop could not respond: "
                "use `await asyncio.to_thread(…)`",
                error.fax_status,
            )
        raise error

    def rest(self, method: str, path: str, sid: str, auth_token: str, form: Mapping[str, str | None] | None = None) -> Any:
        """Calls the REST API as an app does, and returns its JSON; None if the response is empty."""
        credential = base64.b64encode(f"{sid}:{auth_token}".encode()).decode()
        headers = {"Authorization": f"Basic {credential}"}
        body = None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = _encoded({name: value for name, value in form.items() if value is not None}).encode()
        status, received = self._call(method, path if path.startswith("/") else f"/{path}", headers, body, 0)
        if status < 400:
            return _parsed(self.url, received) if received else None
        error = _parsed(self.url, received)
        if not isinstance(error, dict) or "message" not in error:
            raise foreign(self.url)
        raise RestError(status, error.get("code"), str(error["message"]), error.get("more_info"))

    def _call(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, wait_s: float) -> tuple[int, bytes]:
        connection = self._open()
        with _refusing_surrogates(target):
            target = quote(target, safe=_URL_PUNCTUATION)
        is_connected = False
        try:
            connection.connect()
            is_connected = True
            if connection.sock is not None:
                connection.sock.settimeout(_RESPONSE_TIMEOUT_S + wait_s)
            try:
                connection.request(method, target, body, {"User-Agent": "fauxfax-python", **headers})
            except (BrokenPipeError, ConnectionResetError):
                # The emulator may have refused the request before reading all of it. Its response, read next, then says why.
                if not body:
                    raise
            response = connection.getresponse()
            received = bytearray()
            # Read in pieces, because old versions of Python allocate as much memory as they are asked to read.
            while len(received) <= _RESPONSE_BYTES_MAX and (piece := response.read(_PIECE_BYTES)):
                received += piece
        except _failures() as error:
            if is_connected:
                raise EmulatorUnreachableError(
                    f"{self.url} has not responded to {method} {target.partition('?')[0]} ({error or type(error).__name__}); if a "
                    "fauxfax emulator listens there, its output may say why"
                ) from error
            raise EmulatorUnreachableError(
                f"no emulator responds at {self.url} ({error or type(error).__name__}); start one with `fauxfax serve`, or "
                "correct the URL"
            ) from error
        finally:
            connection.close()
        if len(received) > _RESPONSE_BYTES_MAX:
            raise FauxfaxError(f"the response to {method} {target} is longer than {_RESPONSE_BYTES_MAX} bytes")
        return response.status, bytes(received)

    def _open(self) -> HTTPConnection:
        # Imported on the first call, so that a pytest run that never uses the emulator doesn't pay for the import.
        from http.client import HTTPConnection, HTTPSConnection

        address = urlsplit(self.url)
        kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
        # http.client ignores proxies in the environment, as it should: the emulator may be that very proxy.
        return kind(address.hostname or "", address.port, timeout=_CONNECT_TIMEOUT_S)


def normalized(url: str | int) -> str:
    """Returns an emulator's URL without a slash at the end. As on the command line, HOST:PORT and a bare port will do."""
    given = str(url).strip()
    if given.isdigit():
        given = f"127.0.0.1:{given}"
    if "://" not in given:
        given = f"http://{given}"
    try:
        address = urlsplit(given)
        is_valid = address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        is_valid = False
    if not is_valid or address.path.strip("/") or address.query:
        raise ValueError(f"{url!r} is not the URL of an emulator: give one such as http://127.0.0.1:8329, HOST:PORT, or a port")
    return f"{address.scheme}://{address.netloc}"


def checked_token(token: str | None) -> str | None:
    """Returns a control token as it can be sent in a header; None if it is empty."""
    # A token that is read from a file may end with a newline.
    given = (token or "").strip()
    if not all("!" <= char <= "~" for char in given):
        raise ValueError("the control token must consist of visible ASCII characters, without spaces")
    return given or None


def segment(text: str) -> str:
    """Returns a text as one segment of a path."""
    if not isinstance(text, str):
        raise TypeError(f"a name is a string, not {text!r}")
    with _refusing_surrogates(text):
        return quote(text, safe="")


def multipart(fields: Mapping[str, object], document: Document) -> tuple[bytes, str]:
    """Returns a body of multipart/form-data with the fields that aren't None and the document, and its content type."""
    name, content = _read(document)
    if len(content) > _DOCUMENT_BYTES_MAX:
        raise _too_long(name, len(content))
    parts = bytearray()
    for field_name, value in fields.items():
        if value is None:
            continue
        with _refusing_surrogates(value):
            text = value.encode() if isinstance(value, str) else _json(value)
        parts += f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{field_name}"\r\n\r\n'.encode() + text + b"\r\n"
    for char in '"\r\n':
        name = name.replace(char, "_")
    file = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    # A file's name may contain bytes that are not text; they are replaced.
    parts += file.encode(errors="replace")
    parts += content + f"\r\n--{_BOUNDARY}--\r\n".encode()
    return bytes(parts), f"multipart/form-data; boundary={_BOUNDARY}"


def _read(document: Document) -> tuple[str, bytes]:
    """Returns a document's name and content."""
    if isinstance(document, (bytes, bytearray, memoryview)):
        return "document", bytes(document)
    if isinstance(document, (str, os.PathLike)):
        path = Path(document)
        # Checked before the file is read, because it may not fit into memory.
        size = path.stat().st_size
        if size > _DOCUMENT_BYTES_MAX:
            raise _too_long(str(path), size)
        return path.name, path.read_bytes()
    content = document.read(_DOCUMENT_BYTES_MAX + 1) if hasattr(document, "read") else None
    if not isinstance(content, bytes):
        raise TypeError(f"a file is given as its path, its bytes, or a file that is open in binary mode, not as {document!r}")
    return "document", content


def _too_long(name: str, size: int) -> ValueError:
    return ValueError(f"{name} has {size} bytes or more; a document may have at most {_DOCUMENT_BYTES_MAX}")


def _json(value: object) -> bytes:
    try:
        with _refusing_surrogates(value):
            return json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except ValueError as error:
        if "Out of range float" not in str(error):
            raise
    raise ValueError(f"{value!r} contains a number that is infinite or NaN, which JSON can't express")


@contextmanager
def _refusing_surrogates(value: object) -> Iterator[None]:
    """Explains why a value can't be encoded."""
    try:
        yield
    except UnicodeEncodeError:
        raise ValueError(f"{value!r} contains a lone surrogate, which is not a character") from None


def _with_query(path: str, query: Mapping[str, object] | None) -> str:
    given = {name: _text(value) for name, value in (query or {}).items() if value is not None}
    path = path if path.startswith("/") else f"/{path}"
    return f"{path}{'&' if '?' in path else '?'}{_encoded(given)}" if given else path


def _encoded(form: Mapping[str, str]) -> str:
    with _refusing_surrogates(form):
        return urlencode(form)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parsed(url: str, received: bytes) -> Any:
    try:
        return json.loads(received)
    except ValueError:
        raise foreign(url) from None


def foreign(url: str) -> EmulatorUnreachableError:
    return EmulatorUnreachableError(f"what responds at {url} is not a fauxfax emulator; correct the URL")


def _failures() -> tuple[type[Exception], ...]:
    from http.client import HTTPException

    return (OSError, HTTPException)


def _is_on_event_loop() -> bool:
    """Returns whether this thread is running an event loop."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
