"""A server on loopback that does what its script says, to the byte, and remembers what it was sent."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Self

import attrs


@attrs.frozen
class Received:
    """One request, as it came in."""

    method: str
    target: str
    headers: dict[str, str]
    """By name in lower case."""
    body: bytes

    @property
    def json(self) -> object:
        return json.loads(self.body)


Script = Callable[["Server", socket.socket, Received], None]


def answer(
    status: int, body: object = b"", headers: Mapping[str, str] | None = None, *, chunked: bool = False
) -> Script:
    """Answer with this: bytes as they are, anything else as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    length = "transfer-encoding: chunked" if chunked else f"content-length: {len(raw)}"
    lines = [f"HTTP/1.1 {status} Whatever", length, "connection: close"]
    lines += [f"{name}: {text}" for name, text in (headers or {}).items()]
    head = "\r\n".join([*lines, "", ""]).encode()
    if chunked:
        parts = [part for part in (raw[:3], raw[3:]) if part]
        raw = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [*parts, b""])

    def script(server: "Server", connection: socket.socket, _received: Received) -> None:
        try:
            connection.sendall(head + raw)
        except OSError:
            server.hung_up.set()

    return script


def bytes_and_hang_up(raw: bytes) -> Script:
    """Send some bytes, then close."""
    return lambda _server, connection, _received: connection.sendall(raw)


def bytes_and_silence(raw: bytes) -> Script:
    """Send some bytes, then nothing until the client hangs up."""

    def script(server: "Server", connection: socket.socket, _received: Received) -> None:
        connection.sendall(raw)
        server.await_hang_up(connection)

    return script


silence = bytes_and_silence(b"")


def drip(raw: bytes) -> Script:
    """Send fifty bytes a second, at most."""

    def script(server: "Server", connection: socket.socket, _received: Received) -> None:
        for byte in raw:
            if server.stopped.wait(0.02):
                return
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                server.hung_up.set()
                return

    return script


class Server:
    """One script for each request in turn; the last one serves all that come after."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self.hung_up = threading.Event()
        self.stopped = threading.Event()
        self._scripts = list(scripts)
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def origin(self) -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        with suppress(OSError):  # wakes accept()
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def then(self, *scripts: Script) -> None:
        """More scripts: such as need to know where another server is."""
        self._scripts += scripts

    def hung_up_soon(self) -> None:
        """Fail unless the client hangs up, or has done so."""
        assert self.hung_up.wait(15), "the client is still there"

    def await_hang_up(self, connection: socket.socket) -> None:
        connection.settimeout(0.05)
        while not self.stopped.is_set():
            try:
                if not connection.recv(4096):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            return
        self.hung_up.set()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.settimeout(10)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:  # TLS took the socket over
                received = _receive(connection)
                if received is not None:
                    self.received.append(received)
                    script = self._scripts[min(len(self.received), len(self._scripts)) - 1]
                    script(self, connection, received)


def _receive(connection: socket.socket) -> Received | None:
    file = connection.makefile("rb")
    first = file.readline().decode().split()
    if not first:
        return None
    headers: dict[str, str] = {}
    while line := file.readline().decode("latin-1").strip():
        name, _, text = line.partition(":")
        headers[name.lower()] = text.strip()
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(file.readline(), 16):
            body += file.read(size)
            file.readline()
        file.readline()
    else:
        body = file.read(int(headers.get("content-length", "0")))
    return Received(first[0], first[1], headers, body)
