"""Events as browsers send them: shapes, limits, and why one is rejected."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

MOST_EVENTS = 200
MOST_BYTES = 256 * 1024
TYPES = frozenset(
    ("view", "start", "step", "success", "fail", "abandon", "error", "rage_click", "dead_click", "vital", "custom")
)
#: Events older than this are history nobody counts any more: queues in browsers are kept for seven days.
OLDEST = timedelta(days=8)
AHEAD = timedelta(minutes=10)
#: A clock further off than this is no clock; beyond it sums of instants overflow.
WRONG_CLOCK = timedelta(days=3653)
LONGEST_MS = 24 * 3600 * 1000
PROPS_BYTES, PROPS_DEPTH = 2048, 8
_CODE = re.compile(r"[\w.\-:/]{0,64}")
_TOUCHPOINT = re.compile(r"[\w.\-]{1,64}")
_ID = re.compile(r"[\w.\-:]{1,64}")
#: JSON's escapes: in group 1 those that are whole (a pair of surrogates, anything else), otherwise half a pair.
_HALF = re.compile(
    rb"(\\u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|\\u(?![dD][89a-fA-F])|\\[^u])|\\u[dD][89a-fA-F]\w\w", re.DOTALL
)
#: Digit runs of seven and more (phones, cards, ids) and e-mail addresses never stay in an event.
_PERSONAL = re.compile(r"\d(?:[ \-]?\d){6,}|[\w.+\-]+@[\w\-]+\.[\w.\-]+")


class CustomerClaim(msgspec.Struct):
    """Who the page says the customer is, signed by the host's server."""

    id: str
    ts: int | str
    sig: str


class Batch(msgspec.Struct):
    """One sending of one page. `events` are checked one by one, so that a bad one does not lose the others."""

    site: str
    events: list[msgspec.Raw]
    session: str = ""
    device: str = ""
    sent_at: str = ""
    customer: CustomerClaim | None = None


class Event(msgspec.Struct, kw_only=True):
    """One thing that happened."""

    id: str
    at: datetime
    touchpoint: str
    type: str
    step: str | None = None
    ok: bool | None = None
    ms: float | None = None
    code: str | int | None = None
    props: dict[str, Any] | None = None


class Kept(msgspec.Struct, array_like=True):
    """An accepted event as the spool keeps it, masked already."""

    id: str
    at: datetime
    arrived_at: datetime
    site: str
    touchpoint: str
    type: str
    step: str
    ok: bool | None
    ms: float | None
    code: str
    session: str
    device: str
    customer: str
    province: str
    props: dict[str, Any]


class Sender(msgspec.Struct):
    """What a batch says of where it comes from, checked. `behind`: how far its clock lags ours, by its `sent_at`."""

    site: str
    session: str
    device: str
    customer: str
    behind: timedelta = timedelta()


_decode_batch = msgspec.json.Decoder(Batch).decode
_decode_event = msgspec.json.Decoder(Event).decode


def batch(raw: bytes) -> Batch:
    """The batch in this body. Raises ValueError (msgspec's) with a sentence that says where it is wrong.

    A page that cuts a text inside an emoji sends half of it, which is no character: it must not cost the other events.
    """
    try:
        return _decode_batch(raw)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        return _decode_batch(_HALF.sub(lambda found: found[1] or rb"\ufffd", raw))


def place(text: str) -> str:
    """An id of a session or device as far as it is one; '' otherwise."""
    return text if _ID.fullmatch(text) else ""


def accepted(raw: bytes, sender: Sender, now: datetime) -> Kept | str:
    """The event ready to be kept, or the reason why it is rejected."""
    try:
        one = _decode_event(raw)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        return str(error)[:200]
    except RecursionError:
        return "props: nested too deeply"
    if one.at.tzinfo is not None and not _is_timely(one.at, now):
        one.at += sender.behind  # a wrong clock at the sender, not a wrong event
    reason = _fault(one, now)
    if reason:
        return reason
    props = masked(one.props or {})
    return Kept(
        id=one.id,
        at=min(one.at.astimezone(UTC), now),
        arrived_at=now,
        site=sender.site,
        touchpoint=one.touchpoint,
        type=one.type,
        step=one.step or "",
        ok=one.ok,
        ms=one.ms,
        code=_PERSONAL.sub("*", str(one.code)) if one.code is not None else "",
        session=sender.session,
        device=sender.device,
        customer=sender.customer,
        province=str(props.get("province", ""))[:40],
        props=props,
    )


def behind(sent_at: str, now: datetime) -> timedelta:
    """How far the sender's clock lags ours; nothing when it does not say, or says nonsense."""
    try:
        sent = datetime.fromisoformat(sent_at)
    except ValueError:
        return timedelta()
    if sent.tzinfo is None or abs(now - sent) > WRONG_CLOCK:
        return timedelta()
    return now - sent


def _is_timely(at: datetime, now: datetime) -> bool:
    return now - OLDEST <= at <= now + AHEAD


def _fault(one: Event, now: datetime) -> str:
    if one.at.tzinfo is None:
        return "at: needs a time zone"
    checks = (
        (_ID.fullmatch(one.id), "id: 1 to 64 letters, digits, . - : _"),
        (_TOUCHPOINT.fullmatch(one.touchpoint), "touchpoint: 1 to 64 letters, digits, . - _"),
        (one.type in TYPES, "type: not one of the known types"),
        (_CODE.fullmatch(one.step or ""), "step: at most 64 letters, digits, . - : / _"),
        (one.code is None or _CODE.fullmatch(str(one.code)), "code: at most 64 letters, digits, . - : / _"),
        (one.ms is None or 0 <= one.ms <= LONGEST_MS, "ms: between 0 and a day"),
        (_is_timely(one.at, now), "at: older than 8 days or in the future"),
        (not one.props or _is_small(one.props), f"props: at most 2 KiB and {PROPS_DEPTH} levels"),
    )
    return next((sentence for is_fine, sentence in checks if not is_fine), "")


def _is_small(props: dict[str, Any]) -> bool:
    return _is_flat(props, PROPS_DEPTH) and len(msgspec.json.encode(props)) <= PROPS_BYTES


def _is_flat(value: Any, levels: int) -> bool:
    """Whether nothing lies deeper than so many levels: asked before anything walks through the whole of it."""
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_flat(one, levels - 1) for one in inner)


def masked(value: Any) -> Any:
    """Properties without phones, cards and addresses of mail, however deep; control characters go too."""
    if isinstance(value, str):
        return _PERSONAL.sub("*", value).replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {masked(name): masked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    return "*" if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**6 else value
