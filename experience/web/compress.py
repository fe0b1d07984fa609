"""Gzip for what travels as text: pages as they are made, static files once and then from memory."""

import gzip
from collections import OrderedDict
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

_LEAST_BYTES = 600  # below this gzip saves less than a packet
_KEPT_BYTES = 16 * 2**20
_TEXTUAL = ("text/", "application/json", "application/problem+json", "application/javascript", "image/svg+xml")
_PAGE_LEVEL, _FILE_LEVEL = 4, 9

Headers = list[tuple[str, str]]


class Compressed:
    """A WSGI step around the application; answers that are streamed, encoded, partial or not text pass untouched."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.application = application
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers, compressed when the client takes gzip."""
        if "gzip" not in environ.get("HTTP_ACCEPT_ENCODING", ""):
            return self.application(environ, start_response)
        begun: list[Any] = []

        def begin(status: str, headers: Headers, error: Any = None) -> Callable[[bytes], None]:
            begun[:] = [status, headers, error]
            return _no_writing

        body = self.application(environ, begin)
        status, headers, error = begun
        if not _is_worth_it(status, headers, environ["REQUEST_METHOD"]):
            start_response(status, headers, error)
            return body
        try:
            whole = b"".join(body)
        finally:
            if hasattr(body, "close"):
                body.close()
        packed = self._packed(whole, _value(headers, "ETag"), environ.get("PATH_INFO", ""))
        start_response(status, _changed(headers, len(packed)), error)
        return [packed]

    def _packed(self, whole: bytes, etag: str, path: str) -> bytes:
        if not etag:
            return gzip.compress(whole, _PAGE_LEVEL, mtime=0)
        key = f"{path} {etag}"
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        packed = gzip.compress(whole, _FILE_LEVEL, mtime=0)
        with self._lock:
            self._kept[key] = packed
            while sum(map(len, self._kept.values())) > _KEPT_BYTES:
                self._kept.popitem(last=False)
        return packed


def _no_writing(_: bytes) -> None:
    raise RuntimeError("write() of WSGI is not supported")


def _value(headers: Headers, name: str) -> str:
    return next((value for key, value in headers if key.lower() == name.lower()), "")


def _is_worth_it(status: str, headers: Headers, method: str) -> bool:
    length = _value(headers, "Content-Length")
    return (
        status[:3] not in ("204", "206", "304")
        and method != "HEAD"
        and length.isdigit()  # streams have none, and must not be held back
        and int(length) >= _LEAST_BYTES
        and not _value(headers, "Content-Encoding")
        and _value(headers, "Content-Type").startswith(_TEXTUAL)
    )


def _changed(headers: Headers, length: int) -> Headers:
    """The headers of the compressed answer; its ETag is weak, since the bytes are not those of the plain one."""
    vary = ", ".join(filter(None, (_value(headers, "Vary"), "Accept-Encoding")))
    etag = _value(headers, "ETag")
    kept = [(k, v) for k, v in headers if k.lower() not in ("content-length", "vary", "etag")]
    if etag:
        kept.append(("ETag", etag if etag.startswith("W/") else f"W/{etag}"))
    return [*kept, ("Content-Encoding", "gzip"), ("Content-Length", str(length)), ("Vary", vary)]
