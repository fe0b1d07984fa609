"""Gzip on the way out: text that is large enough, for clients that take it, with an honest ETag."""

import gzip
from collections.abc import Callable, Iterable
from typing import Any

from experience.web.compress import Compressed

PAGE = "回声".encode() * 1000


def application(
    body: bytes = PAGE, status: str = "200 OK", **headers: str
) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    sent = {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body))}
    sent |= {key.replace("_", "-"): value for key, value in headers.items()}

    def answer(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response(status, [(key, value) for key, value in sent.items() if value])
        return [body]

    return answer


def asked(app: Callable[..., Iterable[bytes]], encoding: str = "br, gzip", method: str = "GET") -> tuple[Any, ...]:
    begun: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> None:
        begun.extend([status, {key.lower(): value for key, value in headers}])

    environ = {"REQUEST_METHOD": method, "HTTP_ACCEPT_ENCODING": encoding, "PATH_INFO": "/x"}
    body = b"".join(app(environ, start))
    return begun[0], begun[1], body


def test_a_page_travels_gzipped_and_says_so() -> None:
    status, headers, body = asked(Compressed(application()))
    assert status == "200 OK"
    assert gzip.decompress(body) == PAGE
    assert headers["content-encoding"] == "gzip"
    assert headers["content-length"] == str(len(body))
    assert headers["vary"] == "Accept-Encoding"


def test_a_client_without_gzip_gets_the_page_as_it_is() -> None:
    assert asked(Compressed(application()), encoding="identity")[2] == PAGE


def test_an_etag_becomes_weak_and_the_cookie_keeps_the_answer_apart() -> None:
    headers = asked(Compressed(application(ETag='"abc"', Vary="Cookie")))[1]
    assert headers["etag"] == 'W/"abc"'
    assert headers["vary"] == "Cookie, Accept-Encoding"


def test_a_file_is_packed_once() -> None:
    app = Compressed(application(ETag='"abc"'))
    first = asked(app)[2]
    assert asked(app)[2] is not None
    assert list(app._kept.values()) == [first]


def test_what_is_small_streamed_partial_packed_or_no_text_is_left_alone() -> None:
    cases = [
        application(b"short"),
        application(Content_Length=""),
        application(status="206 Partial Content"),
        application(Content_Encoding="br"),
        application(Content_Type="image/png"),
    ]
    for case in cases:
        assert "gzip" not in asked(Compressed(case))[1].get("content-encoding", "")
    assert asked(Compressed(application()), method="HEAD")[1].get("content-encoding") is None
