"""Take answers in: judged by the published version's form and logic, stored once, their words heard as voices."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy
from sqlalchemy import BigInteger, Integer, Text, bindparam, delete, func, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlmodel import Session, col

from experience.customers import operations as customers
from experience.ground.config import settings as house
from experience.ground.errors import Conflict, Invalid, NotFound
from experience.ground.i18n import say
from surveys import runtime
from surveys.answers import answer_rows
from surveys.eligibility import Setting
from surveys.logic import Path, walk
from surveys.operations import lately
from surveys.operations.following import hand_back
from surveys.operations.hearing import hear_response
from surveys.operations.quotas import turned_away
from surveys.queries.published import Published, published
from surveys.runtime import Token
from surveys.tables import Answer, Invitation, Response, Survey

KEY = re.compile(r"[\x21-\x7e]{1,200}")
PLACE = re.compile(r"[\w.\-]{0,64}")
LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")


#: What `_row` fills, with the receipt's digest.
COLUMNS = (
    "code", "publication_id", "invitation_id", "client_key", "receipt_hash", "at", "finished_at", "is_partial",
    "is_quarantined", "quarantine_reason", "channel", "touchpoint", "province", "device", "customer_id", "sample_class",
    "weight", "snapshot", "seconds", "lang", "seed", "shown", "ending", "is_screenout", "fingerprint",
)  # fmt: skip


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


class KeyReused(Conflict):
    """The client's key stands for another answer already."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A stored response; `receipt` is its author's secret. `is_repeat` when it had been stored before."""

    response_code: str
    receipt: str
    ending: str
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """What the database knows before the answers are looked at; `here` is what the logic is judged by.

    With `sha256` it is only remembered: the answers are stored if that version is there and open, else not.
    """

    survey_id: int
    out: Published
    invitation: Invitation | None
    response: Response | None
    here: Setting
    seed: str
    sha256: str = ""


#: What is known, the answers as the form keeps them, and the path they make.
Case = tuple[Looked, dict[str, Any], Path]


def submit(session: Session, survey_code: str, said: SubmitIn, *, now: datetime) -> Submitted:
    """The stored response and its receipt. The same key or token again gives the same response.

    Raises Invalid for answers the form or the logic refuses, Conflict for another answer under the same key or token,
    for a survey that is closed and for an unknown version, NotFound for an unknown survey or invitation.
    """
    _demand_sound(said)
    case = _judged_lately(session, survey_code, said)
    done = _take(session, survey_code, said, case, now=now) if case else None
    if done is not None:
        return done
    seen = look(session, survey_code, said, now=now)
    if seen.response is not None and not seen.response.is_partial:
        return _again(seen.response, _fingerprint(survey_code, seen.out.version, said))
    done = _take(session, survey_code, said, (seen, *judged(seen, said)), now=now)
    return done or submit(session, survey_code, said, now=now)  # somebody sent the same at the same instant, first


def _take(session: Session, survey_code: str, said: SubmitIn, case: Case, *, now: datetime) -> Submitted | None:
    """Stores the answers; None, and nothing stored, when the rows are not what was looked at."""
    seen, given, path = case
    row = _row(seen, said, path, now) | {"fingerprint": _fingerprint(survey_code, seen.out.version, said)}
    answers = answer_rows(seen.out.definition, given, row["lang"])
    answers += answer_rows(seen.out.definition, _hidden_again(seen.out, said, given), row["lang"], is_inactive=True)
    response_id, code = _store(session, seen, row, answers)
    if response_id is None:
        return None
    row |= {"id": response_id, "code": code}
    ending = path.ending if said.is_partial else _finish(session, seen, row, given, now=now)
    return Submitted(code, runtime.receipt(code, house().key()), ending)


def _judged_lately(session: Session, survey_code: str, said: SubmitIn) -> Case | None:
    """For an answer without invitation: judged by what was seen at the last one, to be checked when storing."""
    known = lately.recalled(survey_code, said.version) if not said.token and said.invitation_id is None else None
    if known is None:
        return None
    try:
        out = published(session, known.publication_id, known.sha256)
        seen = Looked(known.survey_id, out, None, None, _setting(None, said), _seed(said, None), sha256=known.sha256)
        return (seen, *judged(seen, said))
    except (Invalid, NotFound):
        return None  # judged once more by what the database says: closed or stored before comes before faulty


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
        faults.append({"field": "Idempotency-Key", "sentence": say("Idempotency-Key 需要 1 到 200 个可见的英文字符。")})
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
    found = _known(session, survey_code, version, said)
    if found is None:
        raise _no_version(session, survey_code)
    survey_id, state, publication_id, sha256, invitation_id, response_id = found
    invitation = session.get_one(Invitation, invitation_id) if invitation_id else None
    response = session.get_one(Response, response_id, populate_existing=True) if response_id else None
    _demand_open(state, token, invitation, response, now)
    if response is not None and response.publication_id != publication_id:
        raise KeyReused(say("这个 Idempotency-Key 已经用于另一份问卷。"))
    seed = _seed(said, response)
    out = published(session, publication_id, sha256)
    if state == "open" and invitation is None:
        lately.remember(survey_code, out.version, lately.OpenVersion(survey_id, publication_id, sha256))
    return Looked(survey_id, out, invitation, response, _setting(invitation, said), seed)


def _demand_open(
    state: str, token: Token | None, invitation: Invitation | None, response: Response | None, now: datetime
) -> None:
    if invitation is None:
        if token:
            raise NotFound(say("没有这份邀约。"))
        if state != "open" and response is None:
            raise Conflict(say("这份问卷没有开放。"), {"state": state})
    elif token and not runtime.is_live(token, response.at if response else None, now):
        raise Conflict(say("这份问卷的邀约已过期。"), {"state": "expired"})


def _seed(said: SubmitIn, response: Response | None) -> str:
    """What the order of chance was drawn from, as the widget draws it: the token, else the client's own key."""
    return said.token or said.key or (response.seed if response else "")


#: One question, as text: it is asked at every answer, and putting it together from columns costs more than asking it.
_KNOWN = sqlalchemy.text("""
    select s.id, s.state, p.id, p.sha256, i.id, coalesce(
        (select id from response where invitation_id = i.id), (select id from response where client_key = :key))
    from survey s
    left join invitation i
        on i.id = coalesce(:invitation_id, (select id from invitation where token_hash = :token_hash))
    join publication p on p.survey_id = s.id and case
        when :invitation_id is null then p.version = coalesce(:version, s.current_version)
        else p.id = i.publication_id end
    where s.code = :code
""").bindparams(
    bindparam("invitation_id", type_=BigInteger), bindparam("version", type_=Integer), bindparam("key", type_=Text)
)


def _known(session: Session, survey_code: str, version: int | None, said: SubmitIn) -> Any:
    asked = {
        "code": survey_code,
        "version": version,
        "token_hash": runtime.digest(said.token) if said.token else "",
        "invitation_id": said.invitation_id,
        "key": said.key,
    }
    return session.connection().execute(_KNOWN, asked).first()


def _no_version(session: Session, survey_code: str) -> NotFound | Conflict:
    known = session.execute(
        sqlalchemy.select(col(Survey.current_version)).where(col(Survey.code) == survey_code)
    ).scalar()
    if not known:
        return NotFound(say("没有这份问卷，或它还没有发布。"))
    return Conflict(say("没有这一版问卷，请重新打开。"), {"version": known})


def _again(stored: Response, fingerprint: str) -> Submitted:
    if stored.fingerprint != fingerprint:
        kind = KeyReused if stored.invitation_id is None else Conflict
        raise kind(say("这份问卷已经提交过，不能改成别的回答。"), {"response": stored.code})
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


def _storing(source: str) -> sqlalchemy.TextClause:
    """Response and answers at once; no id comes back, and nothing is stored, when key or invitation was used before."""
    statement = f"""
        with stored as (
            insert into response ({", ".join(COLUMNS)}) {source} on conflict do nothing returning id
        ), answered as (
            insert into answer (response_id, item, kind, metric, number, options, text, is_inactive)
            select stored.id, one.item, one.kind, one.metric, one.number, one.options, one.text, one.is_inactive
            from stored, jsonb_to_recordset(:answers) as one
                (item text, kind text, metric text, number float8, options jsonb, text text, is_inactive bool)
        )
        select id from stored
    """  # noqa: S608 - names of our own
    return sqlalchemy.text(statement).bindparams(
        *(bindparam(name, type_=JSONB) for name in ("snapshot", "shown", "answers"))
    )


_VALUES = ", ".join(f":{name}" for name in COLUMNS)
_STORE = _storing(f"values ({_VALUES})")
_STORE_IF_OPEN = _storing(
    f"select {_VALUES} from survey s join publication p on p.survey_id = s.id "  # noqa: S608 - names of our own
    "where s.id = :survey_id and s.state = 'open' and p.id = :publication_id and p.sha256 = :sha256"
)


def _store(
    session: Session, seen: Looked, row: Mapping[str, Any], answers: list[dict[str, Any]]
) -> tuple[int | None, str]:
    """The response's id and code, new or finished from an earlier part; no id when somebody else was first."""
    earlier = seen.response
    if earlier is None:
        hashed = runtime.digest(runtime.receipt(row["code"], house().key()))
        filled = {**row, "receipt_hash": hashed, "answers": answers}
        if seen.sha256:
            guard = {"survey_id": seen.survey_id, "sha256": seen.sha256}
            stored = session.connection().execute(_STORE_IF_OPEN, filled | guard)
        else:
            stored = session.connection().execute(_STORE, filled)
        return stored.scalar(), row["code"]
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
        session.execute(delete(Answer).where(col(Answer.response_id) == found))
        if answers:
            session.execute(insert(Answer), [one | {"response_id": found} for one in answers])
    return found, earlier.code


def _hidden_again(out: Published, said: SubmitIn, given: Mapping[str, Any]) -> dict[str, Any]:
    """Sound answers to items that were hidden afterwards: kept, out of the measures; unsound ones are no loss."""
    known = {name: value for name, value in said.inactive.items() if out.form.knows(name) and name not in given}
    if not known:
        return {}
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
