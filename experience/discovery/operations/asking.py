"""Ask for a look at the voices: the clock every night and every week, people when they want one."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from analysis.reading import LABELS
from analysis.topics import TOPICS
from experience.audit.operations import record
from experience.discovery.rules import BEIJING, WEEK, midnight
from experience.discovery.tables import DiscoveryRun
from experience.ground.errors import Conflict, Forbidden, Invalid
from experience.ground.i18n import say
from experience.organisation.permissions import Scope
from experience.touchpoints.tables import Touchpoint
from experience.voices.tables import Voice

#: A province or a channel with fewer voices in a week is looked at with the whole only.
LEAST_VOICES = 300
#: Periods that heaps are made of when a person asks.
DAYS = (7, 28, 90)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What heaps are made of. Without topic and label: the voices of no topic, or of one the model is not sure of."""

    days: int = 28
    touchpoint: str = ""
    topic: str = ""
    label: str = ""


def ask_nightly(session: Session, *, now: datetime) -> int:
    """Asks for this night's words and this week's heaps, once whatever the number of workers; how many looks."""
    local = now.astimezone(BEIJING)
    year, week, _ = local.isocalendar()
    looks = {"emerging": f"{local:%Y-%m-%d}", "clusters": f"{year}-W{week:02d}"}
    asked = set(session.exec(select(DiscoveryRun.night).where(col(DiscoveryRun.night).in_(_marks(looks)))))
    wanted = {kind: mark for kind, mark in looks.items() if f"{kind} {mark}  " not in asked}
    if not wanted:
        return 0
    rows = [_row(kind, mark, place, now) for place in _places(session, now) for kind, mark in wanted.items()]
    once = insert(DiscoveryRun).values(rows).on_conflict_do_nothing(index_elements=["night"])
    return len(session.execute(once.returning(col(DiscoveryRun.id))).all())


def _marks(looks: dict[str, str]) -> list[str]:
    return [f"{kind} {mark}  " for kind, mark in looks.items()]


def _row(kind: str, mark: str, place: tuple[str, str], now: datetime) -> dict[str, object]:
    province, channel = place
    return {
        "kind": kind,
        "province": province,
        "channel": channel,
        "narrowed": asdict(Narrowed()) if kind == "clusters" else {},
        "night": f"{kind} {mark} {province} {channel}",
        "asked_at": now,
        "state": "waiting",
        "looked_at": 0,
        "found": 0,
        "failure": "",
    }


def _places(session: Session, now: datetime) -> Iterator[tuple[str, str]]:
    """(province, channel): the whole, each province and each channel with enough voices in the last week."""
    yield "", ""
    recent = (col(Voice.at) > midnight(now) - WEEK, col(Voice.at) <= now)
    by_province = select(Voice.province).where(*recent, Voice.province != "").group_by(Voice.province)
    for province in session.exec(by_province.having(func.count() >= LEAST_VOICES)):
        yield province, ""
    by_channel = select(Touchpoint.channel).join(Voice, col(Voice.touchpoint) == col(Touchpoint.code)).where(*recent)
    for channel in session.exec(by_channel.group_by(Touchpoint.channel).having(func.count() >= LEAST_VOICES)):
        yield "", channel


def ask_clusters(
    session: Session, scope: Scope, narrowed: Narrowed, *, now: datetime, province: str = "", channel: str = ""
) -> DiscoveryRun:
    """Asks for heaps now; the clock makes them within seconds.

    Raises Forbidden for a place outside the scope, Conflict while another look of theirs is under way.
    """
    scope.demand("words.edit")
    reach = scope.reach("words.edit")
    if not (reach.is_everything or (province and reach.sees_province(province))):
        raise Forbidden(say("只能对您所在省分的原声聚类。"))
    if narrowed.days not in DAYS or narrowed.topic not in ("", *TOPICS) or narrowed.label not in ("", *LABELS):
        raise Invalid(say("请从列表里选择要聚类的范围。"))
    open_ones = select(DiscoveryRun.id).where(col(DiscoveryRun.state).in_(("waiting", "running")))
    since = now - timedelta(hours=1)
    mine = open_ones.where(DiscoveryRun.asked_by_id == scope.user_id, col(DiscoveryRun.asked_at) > since)
    if scope.user_id is not None and session.exec(mine.limit(1)).first() is not None:
        raise Conflict(say("您上一次的聚类还没有完成，请稍等。"))
    run = DiscoveryRun(
        kind="clusters",
        province=province,
        channel=channel,
        narrowed=asdict(narrowed),
        asked_at=now,
        asked_by_id=scope.user_id,
    )
    session.add(run)
    session.flush()
    record(session, scope, "discovery.ask", ("discovery_run", run.id), now=now, detail=asdict(narrowed))
    return run
