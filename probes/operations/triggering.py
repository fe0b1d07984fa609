"""Decide, while a batch is being answered, whether its sender is asked; and edit the rules."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from experience.audit.operations import record
from experience.customers.operations import known_by_ref
from experience.ground.errors import Forbidden, Invalid, NotFound
from experience.ground.i18n import say
from experience.organisation.permissions import Scope
from probes import triggers
from probes.event import Kept, Sender
from probes.tables import Anomaly, Firing, ProbeEvent, Trigger
from probes.triggers import Past, Rule
from surveys import operations as surveys
from surveys.operations import Offered, OfferIn
from surveys.queries import open_definitions
from surveys.tables import Survey

#: A changed rule is honoured within this many seconds.
KEPT_SECONDS = 5.0
#: An anomaly's people are asked for this long after it was last seen.
ANOMALY_ASKS = timedelta(minutes=30)
_kept: dict[str, tuple[float, list[Rule]]] = {}


class Sittings:
    """What each session did lately, in this process: what the drainer has not moved into the database yet."""

    def __init__(self, most: int = 20_000, each: int = 50) -> None:
        self._seen: OrderedDict[str, deque[Past]] = OrderedDict()
        self._lock, self._most, self._each = threading.Lock(), most, each

    def earlier(self, session: str, events: Sequence[Kept]) -> list[Past]:
        """What this session did before these events, which are remembered now."""
        if not session:
            return []
        with self._lock:
            known = self._seen.setdefault(session, deque(maxlen=self._each))
            self._seen.move_to_end(session)
            before = list(known)
            known.extend(Past(one.id, one.touchpoint, one.type, one.at) for one in events)
            while len(self._seen) > self._most:
                self._seen.popitem(last=False)
        return before


_sittings = Sittings()


def rules(session: Session) -> list[Rule]:
    """Every rule in force: those of staff, and those that open surveys carry; remembered for a moment."""
    place, instant = str(session.get_bind().engine.url), time.monotonic()
    known = _kept.get(place)
    if known is None or instant - known[0] > KEPT_SECONDS:
        known = (instant, _loaded(session))
        _kept[place] = known
    return known[1]


def _loaded(session: Session) -> list[Rule]:
    found = [
        triggers.of_survey(code, told)
        for code, _, _, definition in open_definitions(session)
        for told in (definition.get("distribution") or {}).get("triggers") or ()
    ]
    found += [_rule(row) for row in session.exec(select(Trigger).where(col(Trigger.is_active)))]
    return sorted(found, key=lambda rule: (rule.sample_class != "anomaly", -rule.count))


def _rule(row: Trigger) -> Rule:
    return Rule(
        touchpoint=row.touchpoint,
        survey=row.survey,
        kind=row.when["type"],
        event=row.when.get("event", ""),
        count=row.when.get("count", 1),
        within_seconds=row.when.get("within_seconds", 600),
        min_severity=row.when.get("min_severity", 2),
        sample=row.sample,
        sample_class=row.sample_class,
        trigger_id=row.id,
        hourly_cap=row.hourly_cap,
    )


def drafted(session: Session, told: Mapping[str, Any]) -> Rule:
    """The rule that `told` describes, as `edit` would take it, without storing it. Raises Invalid, NotFound."""
    row = Trigger(name="", touchpoint="", survey="")
    _take(row, told)
    _demand_sound(session, row)
    return _rule(row)


def fire(session: Session, sender: Sender, events: Sequence[Kept], *, now: datetime) -> dict[str, Any] | None:
    """The invitation for this batch's sender, or None. Every hit leaves a row that says what became of it."""
    known = rules(session)
    earlier = _sittings.earlier(sender.session, events)
    places = {one.touchpoint for one in events}
    wanted = [rule for rule in known if rule.touchpoint in places]
    if not wanted or not (sender.device or sender.customer):
        return None
    for rule in wanted:
        before = [*earlier, *_stored(session, rule, sender, events)]
        one = triggers.hit(rule, events, before) or _beside_anomaly(session, rule, events, now)
        if one is None or not triggers.is_drawn(rule, sender.customer or sender.device):
            continue
        offered = _offer(session, rule, sender, one, now)
        if offered is not None:
            return offered
    return None


def _stored(session: Session, rule: Rule, sender: Sender, events: Sequence[Kept]) -> list[Past]:
    """What the sitting did before as the database knows it: other processes take its batches too.

    Asked only when a rule counts more than one event and one of them has just happened.
    """
    counted = triggers.matching(rule, events) if rule.count > 1 and sender.session else []
    if not counted:
        return []
    first = min(one.at for one in counted) - timedelta(seconds=rule.within_seconds)
    rows = session.execute(
        select(ProbeEvent.event_id, ProbeEvent.touchpoint, ProbeEvent.type, ProbeEvent.at)
        .where(
            ProbeEvent.session == sender.session,
            ProbeEvent.at >= first,
            ProbeEvent.touchpoint == rule.touchpoint,
            ProbeEvent.type == rule.event,
        )
        .limit(rule.count)
    )
    return [Past(*row) for row in rows]


def _beside_anomaly(session: Session, rule: Rule, events: Sequence[Kept], now: datetime) -> Kept | None:
    """While an anomaly is open, people at its touchpoint are asked once their own task has ended."""
    if rule.kind != "anomaly":
        return None
    ended = [one for one in events if one.touchpoint == rule.touchpoint and one.type in triggers.ENDINGS]
    if not ended:
        return None
    open_one = select(Anomaly.id).where(
        Anomaly.touchpoint == rule.touchpoint,
        Anomaly.state == "open",
        Anomaly.severity >= rule.min_severity,
        Anomaly.last_seen_at >= now - ANOMALY_ASKS,
    )
    return ended[-1] if session.exec(open_one.limit(1)).first() is not None else None


def _offer(session: Session, rule: Rule, sender: Sender, one: Kept, now: datetime) -> dict[str, Any] | None:
    subject = f"customer:{sender.customer}" if sender.customer else f"device:{sender.device}"
    customer_id = None
    if sender.customer:
        customer_id = known_by_ref(session, sender.customer, now, province=one.province)
    seen = triggers.snapshot(one)
    firing = Firing(
        trigger_id=rule.trigger_id,
        survey=rule.survey,
        at=now,
        session=sender.session,
        subject=subject,
        touchpoint=one.touchpoint,
        snapshot={**seen, "province": one.province},
    )
    session.add(firing)
    session.flush()
    if _is_used_up(session, rule, now):
        firing.outcome = "hourly_cap"
        session.add(firing)
        return None
    asked = OfferIn(
        subject=subject,
        customer_id=customer_id,
        device=sender.device,
        session=sender.session,
        touchpoint=one.touchpoint,
        province=one.province,
        channel="popover",
        sample_class=rule.sample_class,
        snapshot=seen,
        firing_id=firing.id,
    )
    answer = surveys.offer(session, rule.survey, asked, now=now)
    if not isinstance(answer, Offered):
        firing.outcome = answer.reason
        session.add(firing)
        return None
    firing.outcome, firing.invitation_id = "offered", answer.invitation_id
    session.add(firing)
    return {
        "token": answer.token,
        "survey": answer.survey,
        "version": answer.version,
        "url": answer.url,
        "definition": answer.definition,
        "snapshot": answer.snapshot,
    }


def _is_used_up(session: Session, rule: Rule, now: datetime) -> bool:
    """Whether the hourly cap is reached; decisions under one cap wait for one another, so that none is too many."""
    if rule.trigger_id is None or rule.hourly_cap is None:
        return False
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"trigger:{rule.trigger_id}", 7))))
    asked = select(func.count()).where(
        Firing.trigger_id == rule.trigger_id, Firing.outcome == "offered", Firing.at > now - timedelta(hours=1)
    )
    return session.exec(asked).one() >= rule.hourly_cap


def edit(session: Session, scope: Scope, trigger_id: int | None, told: Mapping[str, Any], *, now: datetime) -> Trigger:
    """The trigger, new or changed, a version later.

    `told`: name, touchpoint, when, survey, sample, sample_class, hourly_cap, is_active; what is left out stays.

    A rule asks customers of every province, so it takes the act everywhere. Raises Forbidden without, Invalid for what
    the rules cannot read, NotFound for an unknown trigger or survey.
    """
    scope.demand("triggers.edit")
    if not scope.reach("triggers.edit").is_everything:
        raise Forbidden(say("触发规则对各省都有效，由集团中心维护。"))
    row = session.get(Trigger, trigger_id) if trigger_id is not None else None
    if trigger_id is not None and row is None:
        raise NotFound(say("没有这条触发规则。"))
    if row is None:
        row = Trigger(name="", touchpoint="", survey="", version=0)
    _take(row, told)
    _demand_sound(session, row)
    row.version += 1
    session.add(row)
    session.flush()
    _kept.clear()
    record(session, scope, "triggers.edit", ("trigger", row.id), now=now, detail={"version": row.version})
    return row


def _take(row: Trigger, told: Mapping[str, Any]) -> None:
    for name in ("name", "touchpoint", "survey", "sample", "sample_class", "hourly_cap", "is_active"):
        if name in told:
            setattr(row, name, told[name])
    if "when" in told:
        row.when = triggers.checked(told["when"])


def _demand_sound(session: Session, row: Trigger) -> None:
    if not row.name.strip() or not row.touchpoint or not row.when:
        raise Invalid(say("请填写名称、触点和触发条件。"), [{"field": "name", "sentence": say("缺少这一项")}])
    if not 0 <= row.sample <= 1 or row.sample_class not in ("baseline", "anomaly"):
        raise Invalid(say("抽样比例在 0 到 1 之间。"), [{"field": "sample", "sentence": say("超出范围")}])
    if session.exec(select(Survey.id).where(Survey.code == row.survey, Survey.current_version > 0)).first() is None:
        raise NotFound(say("没有这份已发布的问卷。"))
