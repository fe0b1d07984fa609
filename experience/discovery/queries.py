"""Reads of discovery, within the caller's provinces: words and heaps of the whole country are for who sees it all."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, true
from sqlmodel import Session, col, select

from analysis import summary
from experience.discovery.tables import Cluster, DiscoveryRun, EmergingWord
from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.organisation.permissions import Scope
from experience.voices import queries as voices
from experience.voices.queries import Filters, Heard
from experience.voices.tables import Reading, Voice

#: A word not found again for so long is news no more.
FRESH = timedelta(days=8)
#: Voices a summary is made of: the newest.
_SUMMED_UP = 300


def visible(scope: Scope, table: Any, act: str = "voices.read") -> ColumnElement[bool]:
    """The condition under which a row with a `province` lies where the act is held."""
    reach = scope.reach(act)
    return true() if reach.is_everything else col(table.province).in_(sorted(reach.territories))


def emerging(
    session: Session,
    scope: Scope,
    *,
    now: datetime,
    province: str = "",
    channel: str = "",
    state: str = "new",
    limit: int = 30,
) -> Sequence[EmergingWord]:
    """Emerging words of a place, the surest first; without a province the whole country's, or one's own provinces'."""
    chosen = select(EmergingWord).where(visible(scope, EmergingWord), EmergingWord.channel == channel)
    if province or scope.reach("voices.read").is_everything:
        chosen = chosen.where(EmergingWord.province == province)
    chosen = chosen.where(EmergingWord.state == state)
    if state == "new":
        chosen = chosen.where(EmergingWord.found_at > now - FRESH)
    return session.exec(chosen.order_by(col(EmergingWord.q), col(EmergingWord.n).desc()).limit(limit)).all()


def word(session: Session, scope: Scope, word_id: int, *, is_held: bool = False) -> EmergingWord:
    """One emerging word. Raises NotFound outside the scope."""
    voices.demand_row_id(word_id)
    act = "words.edit" if is_held else "voices.read"
    chosen = select(EmergingWord).where(EmergingWord.id == word_id, visible(scope, EmergingWord, act))
    found = session.exec(chosen.with_for_update() if is_held else chosen).first()
    if found is None:
        raise NotFound(say("没有这个新词，或不在您的范围内。"))
    return found


def runs(session: Session, scope: Scope, *, kind: str = "clusters", limit: int = 20) -> Sequence[DiscoveryRun]:
    """The newest runs first, those at work among them."""
    chosen = select(DiscoveryRun).where(visible(scope, DiscoveryRun), DiscoveryRun.kind == kind)
    return session.exec(chosen.order_by(col(DiscoveryRun.id).desc()).limit(limit)).all()


def run(session: Session, scope: Scope, run_id: int) -> DiscoveryRun:
    """One run. Raises NotFound outside the scope."""
    voices.demand_row_id(run_id)
    chosen = select(DiscoveryRun).where(DiscoveryRun.id == run_id, visible(scope, DiscoveryRun))
    found = session.exec(chosen).first()
    if found is None:
        raise NotFound(say("没有这次聚类，或不在您的范围内。"))
    return found


def latest_run(session: Session, scope: Scope, *, province: str = "", channel: str = "") -> DiscoveryRun | None:
    """The newest finished heaps of a place; without a province the whole country's, or one of one's own provinces'."""
    chosen = select(DiscoveryRun).where(visible(scope, DiscoveryRun), DiscoveryRun.kind == "clusters")
    chosen = chosen.where(DiscoveryRun.state == "done", DiscoveryRun.channel == channel)
    if province or scope.reach("voices.read").is_everything:
        chosen = chosen.where(DiscoveryRun.province == province)
    return session.exec(chosen.order_by(col(DiscoveryRun.id).desc()).limit(1)).first()


def clusters(
    session: Session, scope: Scope, run_id: int, *, states: Iterable[str] = ("new",), limit: int = 80
) -> Sequence[Cluster]:
    """The heaps of a run, biggest first."""
    chosen = select(Cluster).join(DiscoveryRun, col(DiscoveryRun.id) == col(Cluster.run_id))
    chosen = chosen.where(Cluster.run_id == run_id, visible(scope, DiscoveryRun), col(Cluster.state).in_(list(states)))
    return session.exec(chosen.order_by(col(Cluster.size).desc(), col(Cluster.id)).limit(limit)).all()


def cluster_counts(session: Session, scope: Scope, run_id: int) -> dict[str, int]:
    """How many heaps of a run there are in each state."""
    chosen = select(Cluster.state, func.count()).join(DiscoveryRun, col(DiscoveryRun.id) == col(Cluster.run_id))
    chosen = chosen.where(Cluster.run_id == run_id, visible(scope, DiscoveryRun)).group_by(Cluster.state)
    return {str(row[0]): int(row[1]) for row in session.execute(chosen)}


def cluster(session: Session, scope: Scope, cluster_id: int) -> Cluster:
    """One heap. Raises NotFound outside the scope."""
    voices.demand_row_id(cluster_id)
    chosen = select(Cluster).join(DiscoveryRun, col(DiscoveryRun.id) == col(Cluster.run_id))
    found = session.exec(chosen.where(Cluster.id == cluster_id, visible(scope, DiscoveryRun))).first()
    if found is None:
        raise NotFound(say("没有这个聚类，或不在您的范围内。"))
    return found


def held_clusters(session: Session, scope: Scope, cluster_ids: Iterable[int]) -> list[Cluster]:
    """These heaps, locked until the transaction ends, in the order asked for. Raises NotFound unless all are seen."""
    wanted = list(dict.fromkeys(cluster_ids))
    for cluster_id in wanted:
        voices.demand_row_id(cluster_id)
    chosen = select(Cluster).join(DiscoveryRun, col(DiscoveryRun.id) == col(Cluster.run_id))
    held = visible(scope, DiscoveryRun, "words.edit")
    chosen = chosen.where(col(Cluster.id).in_(wanted), held).order_by(col(Cluster.id))
    found = {one.id: one for one in session.exec(chosen.with_for_update(of=Cluster))}
    if len(found) != len(wanted):
        raise NotFound(say("没有这个聚类，或不在您的范围内。"))
    return [found[cluster_id] for cluster_id in wanted]


def examples(
    session: Session, scope: Scope, rows: Iterable[EmergingWord | Cluster], *, most: int = 3
) -> dict[int, list[Heard]]:
    """For each row's id its example voices that lie in the scope, in the row's order; one look for all."""
    wanted = {row.id or 0: row.voice_ids for row in rows}
    every = sorted({voice_id for ids in wanted.values() for voice_id in ids})
    found = {heard.voice.id: heard for heard in voices.some(session, scope, every)} if every else {}
    return {row_id: [found[voice_id] for voice_id in ids if voice_id in found][:most] for row_id, ids in wanted.items()}


def topic_summary(session: Session, scope: Scope, filters: Filters, *, most: int = 3) -> list[str]:
    """The few sentences, in customers' own words (masked), that speak for the newest voices of these filters."""
    chosen = select(Voice.masked).outerjoin(Reading, col(Reading.voice_id) == col(Voice.id))
    chosen = chosen.where(*voices.conditions(scope, filters)).order_by(col(Voice.at).desc(), col(Voice.id).desc())
    return summary.summary(session.exec(chosen.limit(_SUMMED_UP)).all(), most=most)
