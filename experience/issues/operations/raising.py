"""Raise issues, add to their evidence, change what they say."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col
from sqlmodel import select as sqlmodel_select

from experience.audit.operations import record
from experience.ground.errors import Conflict, Forbidden, Invalid, NotFound
from experience.ground.i18n import say
from experience.issues import lifecycle, queries, triage
from experience.issues.tables import Issue, IssueSource
from experience.organisation.permissions import Scope
from experience.touchpoints.tables import Touchpoint
from experience.voices.tables import Reading, Voice

TITLE_LIMIT = 120
SUMMARY_LIMIT = 4_000
_BEIJING = ZoneInfo("Asia/Shanghai")
_NUMBERING = 7_263_402  # any fixed number: two issues of one day are numbered one after the other


@dataclass(frozen=True, slots=True)
class IssueIn:
    """A new issue. `severity=None` takes the suggested one; `sources` are further (kind, row) evidence."""

    title: str
    severity: int | None = None
    touchpoint: str = ""
    topic: str = ""
    product: str = ""
    province: str = ""
    summary: str = ""
    stage: str = ""
    voices: Sequence[int] = ()
    sources: Sequence[tuple[str, int]] = ()
    origin: str = "staff"
    is_candidate: bool = False


def raise_issue(session: Session, scope: Scope, told: IssueIn, *, now: datetime) -> Issue:
    """The new issue with its evidence; what it does not name (topic, province) is taken from its voices.

    Raises Invalid for an empty or overlong title or a severity outside 1–4, NotFound for voices outside the scope,
    Forbidden for another's province.
    """
    scope.demand("issues.triage")
    _demand_sound(told)
    _demand_voices(session, scope, told.voices)
    known = _gist(session, told)
    graded = triage.severity(known.signal)
    issue = Issue(
        code=_next_code(session, now),
        title=told.title.strip(),
        summary=told.summary.strip(),
        state="candidate" if told.is_candidate else "open",
        severity=told.severity or graded.severity,
        severity_reason=graded.reason,
        touchpoint=told.touchpoint,
        topic=told.topic or known.topic,
        product=told.product,
        province=told.province or known.province,
        origin=told.origin,
        stage=told.stage,
        opened_at=now,
        opened_by_id=scope.user_id,
    )
    _place(scope, issue)
    session.add(issue)
    session.flush()
    attach(session, issue, [*(("voice", id) for id in told.voices), *told.sources], now)
    record(session, scope, "issues.raise", ("issue", issue.code), now=now, detail={"severity": issue.severity})
    return issue


def join(session: Session, scope: Scope, code: str, voice_ids: Sequence[int], *, now: datetime) -> Issue:
    """The issue with these voices added to its evidence; those it has already change nothing.

    Raises Conflict when the issue is closed, NotFound outside the scope.
    """
    scope.demand("issues.triage")
    issue = held(session, scope, code)
    if issue.state not in lifecycle.LIVE:
        raise Conflict(say("问题已关闭，不能再并入原声；请重开或新建。"), {"state": issue.state})
    _demand_voices(session, scope, voice_ids)
    attach(session, issue, [("voice", id) for id in voice_ids], now)
    record(session, scope, "issues.join", ("issue", code), now=now, detail={"voices": len(voice_ids)})
    return issue


def change(
    session: Session, scope: Scope, code: str, changes: dict[str, Any], *, version: int | None, now: datetime
) -> Issue:
    """The issue with these fields changed: title, summary, severity, touchpoint, topic, product, province, stage.

    Raises Conflict when `version` is not the issue's, Invalid for a field out of range.
    """
    scope.demand("issues.triage")
    issue = held(session, scope, code, version=version)
    told = IssueIn(title=changes.get("title", issue.title), severity=changes.get("severity", issue.severity))
    _demand_sound(told)
    differences = {
        name: [getattr(issue, name), value] for name, value in changes.items() if getattr(issue, name) != value
    }
    if not differences:
        return issue
    for name, (_, value) in differences.items():
        setattr(issue, name, value)
    _demand_place(scope, issue)
    issue.version += 1
    session.add(issue)
    shown = {name: pair for name, pair in differences.items() if name not in ("title", "summary")}
    record(session, scope, "issues.change", ("issue", code), now=now, detail=shown)
    session.flush()
    return issue


def held(session: Session, scope: Scope, code: str, *, version: int | None = None) -> Issue:
    """The issue, locked until the transaction ends; for triage. Raises NotFound, or Conflict for a stale version."""
    chosen = sqlmodel_select(Issue).where(Issue.code == code, queries.visible(scope, "issues.triage")).with_for_update()
    issue = session.exec(chosen, execution_options={"populate_existing": True}).first()
    if issue is None:
        raise NotFound(say("没有编号为 %(code)s 的问题，或不在您的范围内。", code=code))
    demand_version(issue, version)
    return issue


def demand_version(issue: Issue, version: int | None) -> None:
    """Raises Conflict, with the issue's state now, unless the version is the issue's or not given."""
    if version is not None and version != issue.version:
        raise Conflict(
            say("问题已被别人更新，请刷新后再试。"),
            {"state": issue.state, "version": issue.version, "allowed": sorted(lifecycle.ACTS[issue.state])},
        )


def attach(session: Session, issue: Issue, evidence: Iterable[tuple[str, int]], now: datetime) -> None:
    """Adds these (kind, row) to the issue's evidence; what it has already is left."""
    rows = [{"issue_id": issue.id, "kind": kind, "row": row, "at": now} for kind, row in dict.fromkeys(evidence)]
    if rows:
        session.execute(insert(IssueSource).values(rows).on_conflict_do_nothing())


def _demand_sound(told: IssueIn) -> None:
    errors = []
    if not 2 <= len(told.title.strip()) <= TITLE_LIMIT:
        errors.append(("title", say("请给问题起一个标题（2–%(most)d 个字）。", most=TITLE_LIMIT)))
    if told.severity is not None and not 1 <= told.severity <= 4:
        errors.append(("severity", say("严重程度用 1（最重）到 4（最轻）。")))
    if len(told.summary) > SUMMARY_LIMIT:
        errors.append(("summary", say("说明最多 %(most)d 个字。", most=SUMMARY_LIMIT)))
    if errors:
        raise Invalid(errors[0][1], [{"field": field, "sentence": sentence} for field, sentence in errors])


def _place(scope: Scope, issue: Issue) -> None:
    """An issue without a place gets the one of a caller who triages in one province only."""
    reach = scope.reach("issues.triage")
    if not reach.is_everything and not issue.province and not issue.product and len(reach.territories) == 1:
        issue.province = next(iter(reach.territories))
    _demand_place(scope, issue)


def _demand_place(scope: Scope, issue: Issue) -> None:
    """Raises Forbidden for an issue put where the caller does not triage; it would be theirs no longer."""
    reach = scope.reach("issues.triage")
    if not reach.sees_province(issue.province) and issue.product not in reach.product_lines:
        raise Forbidden(say("只能登记本省或本产品的问题。"))


def _demand_voices(session: Session, scope: Scope, voice_ids: Sequence[int]) -> None:
    missing = queries.missing_voices(session, scope, voice_ids)
    if missing:
        shown = "、".join(str(id) for id in missing[:5])
        raise NotFound(say("没有这些客户原声，或不在您的范围内：%(ids)s", ids=shown))


@dataclass(frozen=True, slots=True)
class _Gist:
    """What an issue's evidence says together."""

    topic: str
    province: str
    touchpoint: str
    signal: triage.Signal


def _gist(session: Session, told: IssueIn) -> _Gist:
    """The commonest topic, province and touchpoint of the voices, and their signal."""
    rows = session.execute(
        select(col(Voice.province), col(Voice.touchpoint), Reading)
        .outerjoin(Reading, col(Reading.voice_id) == col(Voice.id))
        .where(col(Voice.id).in_(told.voices))
    ).all()
    readings = [reading for _, _, reading in rows if reading is not None]
    negative = [reading for reading in readings if reading.label == "negative"]
    touchpoint = told.touchpoint or _commonest(touchpoint for _, touchpoint, _ in rows)
    is_key = session.execute(select(col(Touchpoint.is_key)).where(col(Touchpoint.code) == touchpoint)).scalar()
    signal = triage.Signal(
        urgency=max((reading.urgency for reading in readings), default=0),
        voices=len(negative),
        sentiment=sum(reading.sentiment for reading in negative) / len(negative) if negative else 0.0,
        is_key=bool(is_key),
        has_anomaly=any(kind == "anomaly" for kind, _ in told.sources),
    )
    return _Gist(
        topic=_commonest(reading.topic for reading in readings),
        province=_commonest(province for province, _, _ in rows),
        touchpoint=touchpoint,
        signal=signal,
    )


def _commonest(values: Iterable[str]) -> str:
    counted = Counter(value for value in values if value)
    return counted.most_common(1)[0][0] if counted else ""


def _next_code(session: Session, now: datetime) -> str:
    """The day's next number, such as W20261122-0001; issues raised at the same moment wait for one another."""
    day = f"W{now.astimezone(_BEIJING):%Y%m%d}-"
    session.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _NUMBERING})
    last = session.execute(select(func.max(col(Issue.code))).where(col(Issue.code).startswith(day))).scalar()
    return f"{day}{int(last.removeprefix(day)) + 1 if last else 1:04d}"
