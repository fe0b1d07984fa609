"""The clock's triage: read voices become candidates, once per case."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from analysis.topics import TOPICS
from experience.ground.i18n import say, spaced
from experience.issues import lifecycle, triage
from experience.issues.operations.raising import IssueIn, attach, raise_issue
from experience.issues.tables import Issue
from experience.notices import operations as notices
from experience.organisation.permissions import SYSTEM
from experience.organisation.tables import Unit
from experience.touchpoints.tables import Touchpoint
from experience.voices.intake import PROVINCES
from experience.voices.operations import mark_triaged
from experience.voices.tables import Reading, Voice

#: Read voices looked at in one transaction.
BATCH = 500
#: Voices attached to a candidate found by volume; the others are counted, not listed.
EVIDENCE = 100
#: Sources that are the customer's own word just now; only they alert about a key touchpoint, while they are fresh.
OWN_WORDS = ("rant", "survey", "chat", "app", "web")
FRESH = timedelta(hours=1)
#: Who hears of it at the centre.
CENTRE_ROLES = ("triager", "dispatcher")


@dataclass(frozen=True, slots=True)
class _Case:
    """The place and the subject of a trouble: one live issue at most is found by the clock for each."""

    touchpoint: str
    topic: str
    province: str


def triage_next(session: Session, now: datetime) -> bool:
    """Looks at a batch of voices read but not looked at: urgent ones alert, clusters make a candidate; any there?"""
    claim = (
        select(Voice.id)
        .where(col(Voice.triaged_at).is_(None), col(Voice.read_at).is_not(None))
        .order_by(col(Voice.id))
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    ids = [id for id in session.exec(claim) if id is not None]
    if not ids:
        return False
    mark_triaged(session, ids, now=now)
    fresh = (
        select(Voice, Reading)
        .join(Reading, col(Reading.voice_id) == col(Voice.id))
        .where(col(Voice.id).in_(ids), Reading.label == "negative", Voice.at > now - triage.NEWS)
    )
    cases: dict[_Case, list[tuple[Voice, Reading]]] = defaultdict(list)
    for voice, reading in session.exec(fresh):
        cases[_Case(voice.touchpoint, reading.topic, voice.province)].append((voice, reading))
    news: dict[str, Counter[str]] = defaultdict(Counter)
    for case in sorted(cases, key=lambda case: (case.touchpoint, case.topic, case.province)):
        if not _look(session, case, cases[case], now):
            fresh_words = [v for v, _ in cases[case] if v.source in OWN_WORDS and v.heard_at > now - FRESH]
            news[case.touchpoint][case.province] += len(fresh_words)
    for touchpoint, provinces in news.items():
        _tell_of_news(session, touchpoint, +provinces, now)
    return True


def _look(session: Session, case: _Case, heard: Sequence[tuple[Voice, Reading]], now: datetime) -> bool:
    """One case: into its live issue if there is one, else a candidate if it is urgent or many; was an alert given?"""
    name = f"{case.touchpoint}|{case.topic}|{case.province}"
    session.execute(text("select pg_advisory_xact_lock(hashtextextended(:case, 9))"), {"case": name})
    urgent = [voice.id for voice, reading in heard if reading.urgency >= 3 and voice.id is not None]
    issue = _issue_of(session, case)
    if issue is not None:
        attach(session, issue, [("voice", voice.id) for voice, _ in heard if voice.id is not None], now)
    else:
        issue = _found(session, case, urgent, now)
    if issue is None or not urgent:
        return False
    _alert(session, case, issue, now)
    return True


def _found(session: Session, case: _Case, urgent: Sequence[int], now: datetime) -> Issue | None:
    """A new candidate when the case is urgent, or when many said so lately and nobody dismissed it."""
    recent = _recent(session, case, now)
    is_many = triage.is_cluster(len(recent), _daily_before(session, case, now)) and not _rests(session, case, now)
    if not urgent and not is_many:
        return None
    evidence = list(dict.fromkeys([*urgent, *(recent[:EVIDENCE] if is_many else ())]))
    return raise_issue(session, SYSTEM, _candidate(session, case, evidence, bool(urgent)), now=now)


def _alert(session: Session, case: _Case, issue: Issue, now: datetime) -> None:
    """Tells the centre's triagers and the province it happened in, once an hour for each case however many say so."""
    link = f"/issues/{issue.code}"
    notices.tell(
        session,
        roles=("coordinator",),
        unit_ids=_serving(session, case.province),
        centre=True,
        centre_roles=CENTRE_ROLES,
        topic="issues.alert",
        sentence=say("有特急原声，请立即研判：%(title)s"),
        params={"title": issue.title},
        link=link,
        dedupe=f"{link}:{case.touchpoint}:{case.topic}:{case.province}:{now:%Y%m%d%H}",
        level=3,
        now=now,
    )


def _tell_of_news(session: Session, touchpoint: str, heard: Counter[str], now: datetime) -> None:
    """Fresh bad words at a key touchpoint: the centre is told of all, each province of its own, once an hour."""
    if not heard or not _is_key(session, touchpoint):
        return
    hearers = {province: _serving(session, province) for province in heard}
    provinces = {province: unit_ids for province, unit_ids in hearers.items() if unit_ids}
    for province, unit_ids in [("", []), *provinces.items()]:
        place = province or (next(iter(heard)) if len(heard) == 1 else "")
        notices.tell(
            session,
            roles=("coordinator",),
            unit_ids=unit_ids,
            centre=not unit_ids,
            centre_roles=CENTRE_ROLES,
            topic="issues.alert",
            sentence=say("关键触点有 %(n)s 条新的负面原声：%(title)s"),
            params={"n": heard[province] if province else heard.total(), "title": _place(session, touchpoint, place)},
            link=f"/voices?label=negative&touchpoint={touchpoint}",
            dedupe=f"/voices:{touchpoint}:{province}:{now:%Y%m%d%H}",
            level=1,
            now=now,
        )


def _serving(session: Session, province: str) -> list[int]:
    """Ids of the units that serve this province; none for voices of no known province."""
    serving = select(Unit.id).where(Unit.kind == "province", Unit.territory == province, Unit.territory != "")
    return [id for id in session.exec(serving) if id is not None]


def _is_key(session: Session, touchpoint: str) -> bool:
    return bool(session.exec(select(Touchpoint.is_key).where(Touchpoint.code == touchpoint)).first())


def _issue_of(session: Session, case: _Case) -> Issue | None:
    chosen = select(Issue).where(
        Issue.touchpoint == case.touchpoint,
        Issue.topic == case.topic,
        col(Issue.province).in_({case.province, ""}),
        col(Issue.state).in_(lifecycle.LIVE),
    )
    return session.exec(chosen.order_by(col(Issue.province).desc(), col(Issue.id)).with_for_update()).first()


def _rests(session: Session, case: _Case, now: datetime) -> bool:
    """Whether a person dismissed this very case lately."""
    dismissed = select(Issue.id).where(
        Issue.touchpoint == case.touchpoint,
        Issue.topic == case.topic,
        Issue.province == case.province,
        Issue.state == "dismissed",
        col(Issue.closed_at) > now - triage.REST,
    )
    return session.exec(dismissed.limit(1)).first() is not None


def _recent(session: Session, case: _Case, now: datetime) -> list[int]:
    """Ids of the case's negative voices within the window, newest first, repeats of one text counted once."""
    said = (
        select(func.max(Voice.id))
        .join(Reading, col(Reading.voice_id) == col(Voice.id))
        .where(*_negative(case), col(Voice.at) > now - triage.CLUSTER_WINDOW, col(Voice.at) <= now)
        .group_by(col(Voice.fingerprint))
        .order_by(func.max(Voice.id).desc())
    )
    return [int(id) for id in session.exec(said) if id is not None]


def _daily_before(session: Session, case: _Case, now: datetime) -> float:
    start = now - triage.CLUSTER_WINDOW - triage.BASELINE
    counted = (
        select(func.count())
        .select_from(Voice)
        .join(Reading, col(Reading.voice_id) == col(Voice.id))
        .where(*_negative(case), col(Voice.at) > start, col(Voice.at) <= now - triage.CLUSTER_WINDOW)
    )
    return session.exec(counted).one() / triage.BASELINE.days


def _negative(case: _Case) -> list[bool]:
    return [
        Voice.touchpoint == case.touchpoint,
        Voice.province == case.province,
        Reading.topic == case.topic,
        Reading.label == "negative",
    ]


def _place(session: Session, touchpoint: str, province: str) -> str:
    """Province and touchpoint as people call them."""
    name = session.exec(select(Touchpoint.name).where(Touchpoint.code == touchpoint)).first()
    return spaced(PROVINCES.get(province, ""), name or touchpoint)


def _candidate(session: Session, case: _Case, evidence: Sequence[int], is_urgent: bool) -> IssueIn:
    topic = TOPICS.get(case.topic, case.topic)
    title = f"特急：{topic}" if is_urgent else f"{topic}集中反映"
    return IssueIn(
        title="　".join(filter(None, (_place(session, case.touchpoint, case.province), title))),
        touchpoint=case.touchpoint,
        topic=case.topic,
        province=case.province,
        voices=evidence,
        origin="triage",
        is_candidate=True,
    )
