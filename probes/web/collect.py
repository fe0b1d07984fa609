"""The collector: events in, 202 out once they are on disk. Plain functions on a request, used by a bare WSGI route."""

import hashlib
import json
import threading
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import msgspec
import structlog
from sqlalchemy import Engine
from sqlmodel import Session
from werkzeug.http import parse_etags

from experience.ground import clock
from experience.ground.errors import Busy, HuishengError
from experience.touchpoints import queries as touchpoints
from experience.touchpoints.queries import KnownSite
from probes import event
from probes.operations import Taken, fire, ingest
from probes.operations.draining import spool_folder
from probes.operations.ingesting import Recent
from probes.operations.triggering import rules
from probes.spool import Spool

log = structlog.get_logger()
EVENTS, CONFIG = "/collect/v1/events", "/collect/v1/config"
_METHODS = {EVENTS: "POST", CONFIG: "GET"}
_TEXTUAL = ("application/json", "text/plain")
_REASONS = {
    200: "OK", 202: "Accepted", 204: "No Content", 304: "Not Modified", 400: "Bad Request", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 413: "Content Too Large", 415: "Unsupported Media Type",
    422: "Unprocessable Content", 500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip
_FAR = "86400"
_GZIP = 31  # zlib's name for a gzip header and its window


@dataclass(frozen=True, slots=True)
class Said:
    """An answer on its way out."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    kind: str = "application/json"


class Refused(Exception):
    """The request cannot be taken; `said` tells why."""

    def __init__(self, status: int, sentence: str, *, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(sentence)
        problem = {"type": "about:blank", "title": _REASONS[status], "status": status, "detail": sentence, "errors": []}
        body = json.dumps(problem, ensure_ascii=False).encode()
        self.said = Said(status, body, headers, "application/problem+json")


class Collector:
    """One process's collector: its spool, what it took in lately, its engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.spool, self.recent = Spool(spool_folder()), Recent()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers a request under /collect as WSGI."""
        origin = environ.get("HTTP_ORIGIN")
        site: KnownSite | None = None
        try:
            said, site = self._answer(environ, origin)
        except Refused as refused:
            said, site = refused.said, self._site_of(environ)
        except Busy as busy:
            said = Refused(503, busy.sentence, headers=(("Retry-After", str(busy.retry_after)),)).said
            site = self._site_of(environ)
        except HuishengError as refused_:
            said, site = Refused(422, refused_.sentence).said, self._site_of(environ)
        except Exception:
            log.exception("collect failed", path=environ.get("PATH_INFO"))
            said = Refused(500, "系统出了问题，已经记录，请稍后重试。").said
        headers = [("Content-Type", said.kind), ("Content-Length", str(len(said.body))), *said.headers]
        headers += _cors(environ, origin, site)
        start_response(f"{said.status} {_REASONS[said.status]}", headers)
        return [said.body]

    def _site_of(self, environ: dict[str, Any]) -> KnownSite | None:
        """The site whose page may read this refusal, by its origin."""
        origin = environ.get("HTTP_ORIGIN")
        try:
            with Session(self.engine) as session:
                known = touchpoints.sites(session)
        except Exception:  # the refusal itself matters more than whether a foreign page may read it
            log.warning("sites unknown", exc_info=True)
            return None
        return next((site for site in known.values() if origin in site.origins), None)

    def _answer(self, environ: dict[str, Any], origin: str | None) -> tuple[Said, KnownSite | None]:
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if path not in _METHODS:
            raise Refused(404, "没有这个地址。")
        if method == "OPTIONS":
            return Said(204), self._site_of(environ)
        if method != _METHODS[path]:
            raise Refused(405, "这个地址不支持这种请求方法。", headers=(("Allow", f"{_METHODS[path]}, OPTIONS"),))
        return self._events(environ, origin) if path == EVENTS else self._config(environ, origin)

    def _events(self, environ: dict[str, Any], origin: str | None) -> tuple[Said, KnownSite]:
        batch = _batch(environ)
        with Session(self.engine, expire_on_commit=False) as session:
            site = _demand_site(session, batch.site, origin, environ)
            taken = ingest(session, site, batch, self.spool, self.recent, now=clock.now())
            invitation = _invitation(session, taken)
        told = {
            "accepted": taken.accepted,
            "duplicate": taken.duplicate,
            "rejected": taken.rejected,
            "invitation": invitation,
        }
        return Said(202, json.dumps(told, ensure_ascii=False).encode()), site

    def _config(self, environ: dict[str, Any], origin: str | None) -> tuple[Said, KnownSite]:
        key = parse_qs(environ.get("QUERY_STRING", "")).get("site", [""])[0]
        with Session(self.engine) as session:
            site = _demand_site(session, key, origin, environ)
            found = [
                {"touchpoint": rule.touchpoint, "survey": rule.survey, "type": rule.kind, "event": rule.event}
                for rule in rules(session)
            ]
        told = {"site": key, "enabled": True, "sample": 1.0, "triggers": found, "contact": {"maxPerSession": 1}}
        body = json.dumps(told, ensure_ascii=False).encode()
        tag = f'"{hashlib.blake2b(body, digest_size=8).hexdigest()}"'
        headers = (("ETag", tag), ("Cache-Control", "public, max-age=60"))
        if parse_etags(environ.get("HTTP_IF_NONE_MATCH")).contains_weak(tag.strip('"')):  # gzip weakens the tag
            return Said(304, headers=headers), site
        return Said(200, body, headers), site


def _invitation(session: Session, taken: Taken) -> dict[str, Any] | None:
    """The question for the batch's sender, if any; its failure never costs the events, which are on disk by now."""
    if not taken.events:
        return None
    try:
        invitation = fire(session, taken.sender, taken.events, now=clock.now())
        session.commit()
    except Exception:
        log.exception("no invitation could be decided", site=taken.sender.site)
        session.rollback()
        return None
    return invitation


def _batch(environ: dict[str, Any]) -> event.Batch:
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if kind not in _TEXTUAL:
        raise Refused(415, "请以 application/json 或 text/plain 提交。")
    raw = _body(environ)
    try:
        return event.batch(raw)
    except msgspec.ValidationError as error:
        raise Refused(422, f"内容有误：{error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, "请求体不是有效的 UTF-8 JSON。") from error


def _body(environ: dict[str, Any]) -> bytes:
    raw = _received(environ)
    if environ.get("HTTP_CONTENT_ENCODING", "").lower() == "gzip":
        try:
            raw = zlib.decompressobj(_GZIP).decompress(raw, event.MOST_BYTES + 1)
        except zlib.error as error:
            raise Refused(400, "内容不是有效的 gzip。") from error
    if len(raw) > event.MOST_BYTES:
        raise Refused(413, "一次最多 256 KiB，请分批发送。")
    return raw


def _received(environ: dict[str, Any]) -> bytes:
    """The body's bytes, not one more than were announced: a kept-alive connection would be waited on for ever."""
    given = environ.get("CONTENT_LENGTH") or ""
    if given and not (given.isascii() and given.isdigit()):
        raise Refused(400, "Content-Length 不对。")
    if given and int(given[:12]) > event.MOST_BYTES:
        raise Refused(413, "一次最多 256 KiB，请分批发送。")
    ends_by_itself = not given and environ.get("wsgi.input_terminated")
    received: bytes = environ["wsgi.input"].read(event.MOST_BYTES + 1 if ends_by_itself else int(given or 0))
    return received


def _demand_site(session: Session, key: str, origin: str | None, environ: dict[str, Any]) -> KnownSite:
    site = touchpoints.sites(session).get(key)
    if site is None:
        raise Refused(403, "站点标识不对：请检查嵌入代码里的 site。")
    own = f"{environ.get('wsgi.url_scheme', 'http')}://{environ.get('HTTP_HOST', '')}"
    if not touchpoints.allows(site, origin, own):
        raise Refused(403, "这个网站没有登记，不能使用该站点标识。")
    return site


def _cors(environ: dict[str, Any], origin: str | None, site: KnownSite | None) -> list[tuple[str, str]]:
    """CORS for the site's own origins only; no cookies ever."""
    headers = [("Vary", "Origin"), ("X-Content-Type-Options", "nosniff")]
    if origin is None or site is None or origin not in site.origins:
        return headers
    headers.append(("Access-Control-Allow-Origin", origin))
    if environ["REQUEST_METHOD"] == "OPTIONS":
        headers += [
            ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
            ("Access-Control-Allow-Headers", "Content-Type, Idempotency-Key"),
            ("Access-Control-Max-Age", _FAR),
        ]
    return headers


class InFront:
    """A WSGI application with the collector in front of it, in the same process."""

    def __init__(self, behind: Callable[..., Iterable[bytes]], engine: Engine) -> None:
        self.behind, self.engine = behind, engine
        self._lock = threading.Lock()
        self._collector: Collector | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Requests under /collect never reach Flask."""
        if environ.get("PATH_INFO", "").startswith("/collect/"):
            return self._collecting()(environ, start_response)
        return self.behind(environ, start_response)

    def _collecting(self) -> Collector:
        with self._lock:
            if self._collector is None:
                self._collector = Collector(self.engine)
            return self._collector
