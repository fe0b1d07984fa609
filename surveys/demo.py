"""Three months of surveys for the demo operator: published, offered, refused, closed, and answered as people do."""

import copy
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text
from sqlmodel import Session, select

from experience.customers.tables import Customer
from experience.demo import customers, operator, rhythm, speech
from experience.demo.past import Past, Stage
from experience.demo.rhythm import INCIDENTS, Incident
from experience.ground import sweep
from experience.ground.store import transaction
from experience.organisation.permissions import SYSTEM
from experience.organisation.tables import Unit
from surveys import library
from surveys.operations import Offered, OfferIn, SubmitIn, create, dismiss, offer, publish, release_next, shown, submit
from surveys.operations.counting import count_next

OFFERS = 850
_SHARES = {code: share for code, _, share in operator.PROVINCES}


@dataclass(frozen=True, slots=True)
class Asked:
    """A survey in the demo: where it is asked, how often of a hundred, how content people are, what they speak of."""

    touchpoint: str
    weight: int
    channel: str
    mean: float  # of five
    topic: str
    triggers: tuple[Mapping[str, Any], ...] = ()


def _on(touchpoint: str, event: str, sample: float, sample_class: str = "baseline") -> Mapping[str, Any]:
    return {"type": "event", "touchpoint": touchpoint, "event": event, "sample": sample, "sampleClass": sample_class}


SURVEYS: Mapping[str, Asked] = {
    "recharge": Asked(
        "web.recharge", 34, "popover", 4.2, "billing",
        (
            _on("web.recharge", "fail", 1.0, "anomaly"),
            _on("web.recharge", "success", 0.05),
            {"type": "anomaly", "touchpoint": "web.recharge", "minSeverity": 1, "sampleClass": "anomaly"},
        ),
    ),
    "nps": Asked("app.bill", 24, "inline", 4.0, "plan"),
    "broadband_install": Asked("broadband.install", 16, "link", 4.1, "broadband"),
    "plan_change": Asked("app.plan_change", 16, "popover", 4.0, "plan", (_on("app.plan_change", "success", 0.1),)),
    "network_5g": Asked("network.mobile", 10, "link", 3.9, "mobile_network"),
}  # fmt: skip


def publish_all(engine: Engine, past: Past) -> int:
    """Publishes the surveys as they were before the past began, and the recheck that follow-ups use."""
    before = past.now - timedelta(days=rhythm.DAYS + 5)
    with transaction(engine) as session:
        centre = session.exec(select(Unit.id).where(Unit.kind == "centre")).one()
        for code in (*SURVEYS, library.RECHECK):
            template = library.templates()[code]
            definition = copy.deepcopy(dict(template.definition))
            if code in SURVEYS and SURVEYS[code].triggers:
                definition["distribution"] = {**definition["distribution"], "triggers": list(SURVEYS[code].triggers)}
            create(session, SYSTEM, code, definition, unit_id=centre or 0, purpose=template.purpose, now=before)
            publish(session, SYSTEM, code, now=before)
    return len(SURVEYS) + 1


def ask(engine: Engine, past: Past) -> int:
    """Offers surveys over the past; returns how many were answered."""
    chance, answered = past.chance("surveys"), 0
    offers = sorted(_offers(chance, past), key=lambda one: one[0])
    with transaction(engine) as session:
        session.execute(text("set local synchronous_commit = off"))
        people = {ref: id_ or 0 for ref, id_ in session.exec(select(Customer.ref, Customer.id))}
        for number, (at, code, province, incident) in enumerate(offers):
            person = _Person(chance, past, people, province, number)
            answered += _ask(session, code, person, at, incident)
    sweep.run(engine, sweep.Job("surveys.release", release_next, 1), past.now)
    sweep.run(engine, sweep.Job("surveys.count", count_next, 1), past.now)
    return answered


def _offers(chance: random.Random, past: Past) -> Iterator[tuple[datetime, str, str, Incident | None]]:
    """When, which survey, in which province, and the incident it happens in."""
    codes, count = list(SURVEYS), past.count(OFFERS, least=60)
    for at in rhythm.moments(chance, count, past.now):
        code = chance.choices(codes, [SURVEYS[one].weight for one in codes])[0]
        province = chance.choices(list(_SHARES), list(_SHARES.values()))[0]
        yield at, code, province, _incident(SURVEYS[code].touchpoint, province, at, past.now)
    for incident in INCIDENTS[:2]:
        code = next(code for code, asked in SURVEYS.items() if asked.touchpoint == incident.touchpoint)
        for _ in range(past.count(70, least=6)):
            at = past.now - incident.began + incident.lasted * chance.random()
            yield at, code, chance.choice(incident.provinces or tuple(_SHARES)), incident


def _incident(touchpoint: str, province: str, at: datetime, now: datetime) -> Incident | None:
    for one in INCIDENTS:
        is_there = one.touchpoint == touchpoint or (touchpoint, one.topic) == ("broadband.install", "broadband")
        began = now - one.began
        if is_there and began <= at <= began + one.lasted and (not one.provinces or province in one.provinces):
            return one
    return None


class _Person:
    """Somebody who may be asked: a known customer of the province, or just a device."""

    def __init__(
        self, chance: random.Random, past: Past, people: Mapping[str, int], province: str, number: int
    ) -> None:
        self.chance, self.province, self.past = chance, province, past
        near = [
            ref for ref in chance.sample(sorted(people), min(30, len(people))) if customers.province_of(ref) == province
        ]
        self.ref = near[0] if near and chance.random() < 0.7 else ""  # noqa: PLR2004 - seven of ten are logged in
        self.customer_id = people.get(self.ref) if self.ref else None
        self.device = f"demo-d-{number}"
        self.subject = f"customer:{self.ref}" if self.ref else f"device:{self.device}"


def _ask(session: Session, code: str, person: _Person, at: datetime, incident: Incident | None) -> int:
    """Offers, and follows the customer until the end; 1 when there is an answer."""
    asked, chance = SURVEYS[code], person.chance
    snapshot = _seen(chance, asked.touchpoint, incident)
    is_bad = snapshot["kind"] == "fail"
    told = OfferIn(
        subject=person.subject,
        customer_id=person.customer_id,
        device=person.device,
        session=f"demo-s-{person.device}",
        touchpoint=asked.touchpoint,
        province=person.province,
        channel=asked.channel,
        sample_class="anomaly" if is_bad else "baseline",
        snapshot=snapshot,
    )
    made = offer(session, code, told, now=at)
    if not isinstance(made, Offered) or chance.random() < 0.05:  # noqa: PLR2004 - one in twenty leaves before it is seen
        return 0
    shown(session, code, made.token, now=at + timedelta(seconds=2))
    if chance.random() < 0.2:  # noqa: PLR2004 - one in five closes it
        dismiss(session, code, made.token, now=at + timedelta(seconds=8))
        return 0
    took = chance.uniform(14, 90)
    mood = _mood(chance, asked, person, incident, is_bad=is_bad)
    said = SubmitIn(
        answers=_ANSWERS[code](chance, mood, person, is_fresh=_is_fresh(at, person)), token=made.token, seconds=took
    )
    submit(session, code, said, now=min(at + timedelta(seconds=took), person.past.now))
    return 1


def _is_fresh(at: datetime, person: _Person) -> bool:
    """Grave answers of the last days only: older ones would still wait to be judged."""
    return person.past.now - at < timedelta(days=4)


def _seen(chance: random.Random, touchpoint: str, incident: Incident | None) -> dict[str, Any]:
    is_bad = chance.random() < (0.75 if incident else 0.16)
    seconds = round(chance.lognormvariate(1.7, 0.5) * (incident.slowdown if incident else 1), 1)
    if not is_bad:
        return {"kind": "success", "seconds": seconds}
    return {"kind": "fail", "seconds": seconds, "code": incident.code if incident else "PAY_REFUSED"}


def _mood(chance: random.Random, asked: Asked, person: _Person, incident: Incident | None, *, is_bad: bool) -> int:
    """How content, 1 to 5: less when it failed, less in an incident, and each province a little different."""
    tilt = random.Random(f"{person.province}|{asked.touchpoint}").uniform(-0.25, 0.25)  # noqa: S311
    mean = asked.mean + tilt - (1.5 if is_bad else 0) - (0.6 if incident else 0)
    return min(max(round(chance.gauss(mean, 0.85)), 1), 5)


def _words(chance: random.Random, person: _Person, topic: str, mood: int, says: Sequence[str] = ("",)) -> str:
    """What somebody in this mood writes, with one of these words in a complaint; not everybody writes."""
    if chance.random() < 0.35:  # noqa: PLR2004 - a third leave it empty
        return ""
    intent = "complaint" if mood <= 3 else "praise"  # noqa: PLR2004
    spoken = speech.speak(chance, {person.province: 1.0}, topic=topic, intent=intent)
    return next(said.text for said in spoken if intent == "praise" or any(word in said.text for word in says))


def _recharge(chance: random.Random, mood: int, person: _Person, *, is_fresh: bool) -> dict[str, Any]:
    if mood >= 4:  # noqa: PLR2004
        return {"problem": "o_none", "csat": mood}
    worst = 5 if is_fresh else 4
    severity = min(max(6 - mood + chance.choice((-1, 0, 0)), 1), worst)
    problem = chance.choices(("o_paid", "o_pay", "o_slow", "o_amount"), (42, 30, 20, 8))[0]
    is_bad = mood <= 2 or severity >= 4  # noqa: PLR2004
    words = _words(chance, person, "billing", mood, INCIDENTS[0].says) if is_bad else ""
    return _without_empty({"problem": problem, "severity": severity, "csat": mood, "words": words})


def _nps(chance: random.Random, mood: int, person: _Person, *, is_fresh: bool) -> dict[str, Any]:
    score = min(max(2 * mood + chance.choice((-1, 0, 0, 1)), 0), 10)
    field = "better" if score <= 6 else "best" if score >= 9 else ""  # noqa: PLR2004
    return _without_empty({"nps": score, **({field: _words(chance, person, "", mood)} if field else {})})


def _broadband(chance: random.Random, mood: int, person: _Person, *, is_fresh: bool) -> dict[str, Any]:
    score = min(max(2 * mood + chance.choice((-1, 0, 0)), 1), 10)
    given: dict[str, Any] = {
        "score": score,
        "ontime": "o_yes" if mood >= 4 else chance.choice(("o_late", "o_late", "o_changed", "o_missed")),  # noqa: PLR2004
        "service": {row: "o_good" if mood >= 4 else chance.choice(("o_ok", "o_ok", "o_bad")) for row in _ROWS},  # noqa: PLR2004
    }
    if score <= 6:  # noqa: PLR2004
        given |= {
            "why": [chance.choice(("o_wait", "o_speed", "o_fee"))],
            "words": _words(chance, person, "broadband", mood),
        }
    return _without_empty(given)


_ROWS = ("r_manner", "r_skill", "r_tidy")


def _plan(chance: random.Random, mood: int, person: _Person, *, is_fresh: bool) -> dict[str, Any]:
    ease = min(max(round(mood * 1.4) + chance.choice((-1, 0, 0)), 1), 7)
    given: dict[str, Any] = {"ces": ease, "clear": "o_yes" if mood >= 4 else chance.choice(("o_part", "o_no"))}  # noqa: PLR2004
    if ease <= 4:  # noqa: PLR2004
        given["why"] = [chance.choice(("o_limit", "o_contract", "o_found", "o_push"))]
    if ease <= 3:  # noqa: PLR2004
        given["words"] = _words(chance, person, "plan", mood)
    return _without_empty(given)


def _network(chance: random.Random, mood: int, person: _Person, *, is_fresh: bool) -> dict[str, Any]:
    score = min(max(2 * mood + chance.choice((-1, 0, 0)), 1), 10)
    given: dict[str, Any] = {"score": score}
    if score <= 8:  # noqa: PLR2004
        given |= {"where": [chance.choice(("o_home", "o_work", "o_metro", "o_rail", "o_lift"))]}
        given |= {"what": [chance.choice(("o_slow", "o_drop", "o_call"))]}
    if score <= 5:  # noqa: PLR2004
        given["words"] = _words(chance, person, "mobile_network", mood)
    return _without_empty(given)


def _without_empty(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value != ""}


_ANSWERS: Mapping[str, Any] = {
    "recharge": _recharge,
    "nps": _nps,
    "broadband_install": _broadband,
    "plan_change": _plan,
    "network_5g": _network,
}

STAGES: tuple[Stage, ...] = (Stage("问卷", publish_all), Stage("答卷", ask))
