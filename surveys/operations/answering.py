"""Take answers in: judged by the published version's form and logic, stored once, their words heard as voices."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy
from sqlalchemy import ColumnElement, delete, func, or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from experience.customers import operations as customers
from experience.ground.config import settings as house
from experience.ground.errors import Conflict, Invalid, NotFound
from experience.ground.i18n import say
from surveys import runtime
from surveys.answers import answer_rows
from surveys.eligibility import Setting
from surveys.logic import Path, walk
from surveys.operations.following import hand_back
from surveys.operations.hearing import hear_response
from surveys.operations.quotas import turned_away
from surveys.publication import Published, published
from surveys.runtime import Token
from surveys.tables import Answer, Invitation, Publication, Response, Survey

KEY = re.compile(r"[\x21-\x7e]{8,100}")
PLACE = re.compile(r"[\w.\-]{0,64}")
LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")


@dataclass(frozen=True, slots=True)
class SubmitIn:
    """Answers on their way in. `inactive` holds answers given to items that were hidden again afterwards.

    `key` is the client's Idempotency-Key; `seconds` how long it took; `touchpoint`, `province`, `channel` and `url`
    count only without a token, as an invitation has its own. `invitation_id` names an invitation found by a receipt.
    """

    answers: Mapping[str, Any]
    version: int | None = None
    token: str | None = None
    key: str | None = None
    is_partial: bool = False
    inactive: Mapping[str, Any] = field(default_factory=dict)
    lang: str = ""
    seconds: float | None = None
    channel: str = "api"
    touchpoint: str = ""
    province: str = ""
    device: str = ""
    url: Mapping[str, str] = field(default_factory=dict)
    invitation_id: int | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """A stored response; `receipt` is its author's secret. `is_repeat` when it had been stored before."""

    response_code: str
    receipt: str
    ending: str
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """What the database knows before the answers are looked at; `here` is what the logic is judged by."""

    survey_id: int
    out: Published
    invitation: Invitation | None
    response: Response | None
    here: Setting
    seed: str


def submit(session: Session, survey_code: str, said: SubmitIn, *, now: datetime) -> Submitted:
    """The stored response and its receipt. The same key or token again gives the same response.

    Raises Invalid for answers the form or the logic refuses, Conflict for another answer under the same key or token,
    for a survey that is closed and for an unknown version, NotFound for an unknown survey or invitation.
    """
    _demand_sound(said)
    seen = look(session, survey_code, said, now=now)
    print_ = _fingerprint(survey_code, seen.out.version, said)
    if seen.response is not None and not seen.response.is_partial:
        return _again(seen.response, print_)
    given, path = judged(seen, said)
    row = _row(seen, said, path, now) | {"fingerprint": print_}
    response_id, code = _store(session, seen.response, row)
    if response_id is None:  # somebody sent the same at the same instant and was first
        return submit(session, survey_code, said, now=now)
    row |= {"id": response_id, "code": code}
    _store_answers(session, seen.out, said, given, row)
    ending = path.ending if said.is_partial else _finish(session, seen, row, given, now=now)
    return Submitted(code, runtime.receipt(code, house().key()), ending)


def judged(seen: Looked, said: SubmitIn) -> tuple[dict[str, Any], Path]:
    """The answers as the form keeps them and the path they make. Raises Invalid, naming each item at fault."""
    out = seen.out
    unknown = [name for name in said.answers if not out.form.knows(name)]
    if unknown:
        raise _refusal({name[:60]: say("问卷里没有这道题。") for name in unknown[:20]})
    form = out.form.of(said.answers)
    if not form.validate():
        raise _refusal({name[2:]: errors[0] for name, errors in form.errors.items()})
    given = form.answers()
    path = walk(out.definition, given, seen.here.facts(), seed=seen.seed)
    faults = form.faults(path, is_partial=said.is_partial)
    if faults:
        raise _refusal(faults)
    return given, path


def _refusal(faults: Mapping[str, str]) -> Invalid:
    return Invalid(
        say("有题目需要修改。"), [{"field": f"answers.{name}", "sentence": fault} for name, fault in faults.items()]
    )


def _demand_sound(said: SubmitIn) -> None:
    faults = []
    if said.key is not None and not KEY.fullmatch(said.key):
        faults.append({"field": "Idempotency-Key", "sentence": say("需要 8 到 100 个可见的英文字符。")})
    for name, value in (("touchpoint", said.touchpoint), ("province", said.province), ("device", said.device)):
        if not PLACE.fullmatch(value):
            faults.append({"field": name, "sentence": say("只能用字母、数字、点和横线，最多 64 个字符。")})
    if said.lang and not LANGUAGE.fullmatch(said.lang):
        faults.append({"field": "lang", "sentence": say("语言写成 zh-CN 或 en。")})
    if said.seconds is not None and not 0 <= said.seconds < 1e7:
        faults.append({"field": "seconds", "sentence": say("用时应当是不小于 0 的秒数。")})
    if faults:
        raise Invalid(say("提交的内容有误。"), faults)


def look(session: Session, survey_code: str, said: SubmitIn, *, now: datetime) -> Looked:
    """Survey, publication, invitation and earlier response, in one statement.

    Raises NotFound for an unknown survey or invitation, Invalid for a token that is not ours or not of this survey,
    Conflict for an unknown version, a closed survey or an expired invitation.
    """
    token = runtime.opened(said.token, house().key()) if said.token else None
    if token and (token.survey != survey_code or said.version not in (None, token.version)):
        raise Invalid(say("问卷凭证与这一版问卷不符，请重新打开问卷。"))
    version = token.version if token else said.version
    found = session.execute(_known(survey_code, version, said)).first()
    if found is None:
        raise _no_version(session, survey_code)
    survey_id, state, publication_id, sha256, invitation, response = found
    _demand_open(state, token, invitation, response, now)
    if response is not None and response.publication_id != publication_id:
        raise Conflict(say("这个 Idempotency-Key 已经用于另一份问卷。"))
    seed = _seed(said, response)
    out = published(session, publication_id, sha256)
    return Looked(survey_id, out, invitation, response, _setting(invitation, said), seed)


def _demand_open(
    state: str, token: Token | None, invitation: Invitation | None, response: Response | None, now: datetime
) -> None:
    if invitation is None:
        if token:
            raise NotFound(say("没有这份邀请。"))
        if state != "open" and response is None:
            raise Conflict(say("这份问卷没有开放。"), {"state": state})
    elif token and not runtime.is_live(token, response.at if response else None, now):
        raise Conflict(say("这份问卷的邀请已过期。"), {"state": "expired"})


def _seed(said: SubmitIn, response: Response | None) -> str:
    """What the order of chance was drawn from, as the widget draws it: the token, else the client's own key."""
    return said.token or said.key or (response.seed if response else "")


def _known(survey_code: str, version: int | None, said: SubmitIn) -> sqlalchemy.Executable:
    is_wanted = col(Publication.version) == (col(Survey.current_version) if version is None else version)
    is_same: list[ColumnElement[bool]] = [sqlalchemy.false()]
    if said.token or said.invitation_id is not None:
        is_same.append(col(Response.invitation_id) == col(Invitation.id))
    if said.key:
        is_same.append(col(Response.client_key) == said.key)
    is_invited = col(Invitation.token_hash) == (runtime.digest(said.token) if said.token else "")
    if said.invitation_id is not None:
        is_invited = col(Invitation.id) == said.invitation_id
        is_wanted = col(Publication.id) == col(Invitation.publication_id)
    return (
        sqlalchemy.select(
            col(Survey.id), col(Survey.state), col(Publication.id), col(Publication.sha256), Invitation, Response
        )
        .join(Publication, col(Publication.survey_id) == col(Survey.id))
        .outerjoin(Invitation, is_invited)
        .outerjoin(Response, or_(*is_same))
        .where(col(Survey.code) == survey_code, is_wanted)
        .limit(1)
    )


def _no_version(session: Session, survey_code: str) -> NotFound | Conflict:
    known = session.execute(
        sqlalchemy.select(col(Survey.current_version)).where(col(Survey.code) == survey_code)
    ).scalar()
    if not known:
        return NotFound(say("没有这份问卷，或它还没有发布。"))
    return Conflict(say("没有这一版问卷，请重新打开。"), {"version": known})


def _again(stored: Response, fingerprint: str) -> Submitted:
    if stored.fingerprint != fingerprint:
        raise Conflict(say("这份问卷已经提交过，不能改成别的回答。"), {"response": stored.code})
    return Submitted(stored.code, runtime.receipt(stored.code, house().key()), stored.ending, is_repeat=True)


def _fingerprint(survey_code: str, version: int, said: SubmitIn) -> str:
    content = json.dumps([survey_code, version, said.answers], sort_keys=True, default=str)
    return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:32]


def _setting(invitation: Invitation | None, said: SubmitIn) -> Setting:
    if invitation is None:
        return Setting(said.touchpoint, said.province, said.channel, url=said.url)
    return Setting(
        invitation.touchpoint,
        invitation.province,
        invitation.channel,
        tags=invitation.tags,
        probe=invitation.snapshot,
        url=said.url,
    )


def _row(seen: Looked, said: SubmitIn, path: Path, now: datetime) -> dict[str, Any]:
    invitation, survey, here = seen.invitation, seen.out.definition, seen.here
    is_known = invitation is not None and survey.privacy.level != "anonymous"
    seconds = said.seconds
    if seconds is None and invitation is not None and invitation.shown_at:
        seconds = max((now - invitation.shown_at).total_seconds(), 0)
    reason = "" if said.is_partial else _doubt(seen.out, path, seconds)
    return {
        "code": runtime.response_code(),
        "publication_id": seen.out.id,
        "invitation_id": invitation.id if invitation else None,
        "client_key": said.key,
        "at": now,
        "finished_at": None if said.is_partial else now,
        "is_partial": said.is_partial,
        "is_quarantined": bool(reason),
        "quarantine_reason": reason,
        "channel": here.channel,
        "touchpoint": here.touchpoint,
        "province": here.province,
        "device": (invitation.device if invitation else said.device) if survey.privacy.level != "anonymous" else "",
        "customer_id": invitation.customer_id if invitation and is_known else None,
        "sample_class": invitation.sample_class if invitation else "open",
        "weight": 1.0,
        "snapshot": invitation.snapshot if invitation else {"url": dict(said.url)} if said.url else {},
        "seconds": seconds,
        "lang": said.lang or survey.default_lang,
        "seed": seen.seed[-64:],
        "shown": list(path.items),
        "ending": path.ending,
        "is_screenout": survey.ending[path.ending].kind == "screenout",
    }


def _doubt(out: Published, path: Path, seconds: float | None) -> str:
    """Why these answers are set aside for review, if they are; nobody's answer is thrown away."""
    if runtime.is_speeder(seconds, len(path.active), runtime.TYPICAL_ITEM_SECONDS):
        return "speeder"
    return "straight_line" if runtime.is_straight_line(out.definition, path.active) else ""


def _store(session: Session, earlier: Response | None, row: Mapping[str, Any]) -> tuple[int | None, str]:
    """The response's id and code, new or finished from an earlier part; no id when somebody else was first."""
    if earlier is None:
        hashed = runtime.digest(runtime.receipt(row["code"], house().key()))
        fresh = insert(Response).values(**row, receipt_hash=hashed).on_conflict_do_nothing()
        return session.execute(fresh.returning(col(Response.id))).scalar(), row["code"]
    kept = {name: value for name, value in row.items() if name not in ("code", "at", "client_key", "seed")}
    grown = (
        update(Response)
        .where(col(Response.id) == earlier.id, col(Response.is_partial))
        .values(**kept)
        .returning(col(Response.id))
        .execution_options(synchronize_session=False)
    )
    found = session.execute(grown).scalar()
    if found is not None:
        session.execute(delete(Answer).where(col(Answer.response_id) == earlier.id))
    session.expire(earlier)
    return found, earlier.code


def _store_answers(
    session: Session, out: Published, said: SubmitIn, given: Mapping[str, Any], row: Mapping[str, Any]
) -> None:
    rows = answer_rows(out.definition, given, row["lang"])
    rows += answer_rows(out.definition, _hidden_again(out, said, given), row["lang"], is_inactive=True)
    if rows:
        session.execute(insert(Answer), [one | {"response_id": row["id"]} for one in rows])


def _hidden_again(out: Published, said: SubmitIn, given: Mapping[str, Any]) -> dict[str, Any]:
    """Sound answers to items that were hidden afterwards: kept, out of the measures; unsound ones are no loss."""
    known = {name: value for name, value in said.inactive.items() if out.form.knows(name) and name not in given}
    form = out.form.of(known)
    form.validate()
    return {name: value for name, value in form.answers().items() if f"a.{name}" not in form.errors}


def _finish(session: Session, seen: Looked, row: Mapping[str, Any], given: Mapping[str, Any], *, now: datetime) -> str:
    """What a finished response sets off; the ending its author sees."""
    survey, invitation, here = seen.out.definition, seen.invitation, seen.here
    if invitation is not None:
        shown_at = func.coalesce(col(Invitation.shown_at), now)  # who answered has seen it
        answered = update(Invitation).where(col(Invitation.id) == invitation.id)
        answered = answered.values(state="answered", shown_at=shown_at)
        session.execute(answered.execution_options(synchronize_session=False))
        customers.mark(session, invitation.id or 0, "answered", now=now)
        if invitation.follow_up_id is not None:
            hand_back(session, invitation.follow_up_id, given, now=now)
    hear_response(session, survey, given, here.facts(), row, now=now)
    ending: str = row["ending"]
    away = None if row["is_screenout"] else turned_away(session, seen.survey_id, survey, given, here)
    if away is not None:
        moved = update(Response).where(col(Response.id) == row["id"]).values(ending=away, is_screenout=True)
        session.execute(moved.execution_options(synchronize_session=False))
    return away or ending
