"""Asking over HTTP as fast as it is answered, with so little of our own that the server is what is measured."""

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


class Connection:
    """One kept-alive connection; requests and answers as bytes."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        self.socket.sendall(request)
        while b"\r\n\r\n" not in self.rest:
            self._more()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        while len(self.rest) < length:
            self._more()
        body, self.rest = self.rest[:length], self.rest[length:]
        return int(head[9:12]), body

    def _more(self) -> None:
        came = self.socket.recv(65536)
        if not came:
            raise ConnectionError("the server hung up")
        self.rest += came


def post(path: str, body: object, **headers: str) -> bytes:
    """A POST of JSON, ready to send; header names with _ for -."""
    sent = json.dumps(body, ensure_ascii=False).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(sent)}", "", ""]).encode() + sent


@dataclass
class Load:
    """One kind of request: `make()` gives the next one, or None when there are no more."""

    name: str
    port: int
    make: Callable[[], bytes | None]
    expected: tuple[int, ...] = (200, 201)
    rates: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    _connections: list[Connection] = field(default_factory=list)

    def round(self, seconds: float, clients: int) -> None:
        """Asks for so long with so many clients at once and notes the rate. Raises on an unexpected answer."""
        while len(self._connections) < clients:
            self._connections.append(Connection(self.port))
        done: list[float] = []
        failures: list[BaseException] = []
        end = time.perf_counter() + seconds

        def client(connection: Connection) -> None:
            try:
                while time.perf_counter() < end and (request := self.make()):
                    began = time.perf_counter()
                    status, body = connection.ask(request)
                    done.append(time.perf_counter() - began)
                    if status not in self.expected:
                        raise RuntimeError(f"{self.name}: {status} {body[:400].decode(errors='replace')}")
            except BaseException as error:  # noqa: BLE001 - raised again in the main thread
                failures.append(error)

        began = time.perf_counter()
        threads = [threading.Thread(target=client, args=(connection,)) for connection in self._connections]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        self.rates.append(len(done) / (time.perf_counter() - began))
        self.times += done


def quantile(values: list[float], share: float) -> float:
    """The value below which this share lies."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
