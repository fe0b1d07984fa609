"""Make a survey, edit its draft, publish a version that never changes, pause and close."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from experience.audit.operations import record
from experience.ground.errors import Conflict, Invalid
from experience.ground.i18n import say
from experience.organisation.permissions import Scope
from surveys import checks, queries
from surveys.definition import in_language, parse, sha256, written
from surveys.tables import Publication, Survey

CODE = re.compile(r"[a-z][a-z0-9_-]{1,39}")
PURPOSES = ("transaction", "anomaly", "relationship", "follow_up")
#: state -> states it may move to by hand; publishing opens a draft.
MOVES = {"open": ("paused", "closed"), "paused": ("open", "closed"), "closed": ("open",), "draft": ()}


def create(
    session: Session,
    scope: Scope,
    code: str,
    definition: Mapping[str, Any],
    *,
    unit_id: int,
    purpose: str = "transaction",
    now: datetime,
) -> Survey:
    """A new survey with its first draft. Raises Invalid for a bad code or definition, Conflict for a taken code."""
    scope.demand("surveys.edit")
    if not CODE.fullmatch(code):
        raise Invalid(
            say("问卷代码有误。"),
            [{"field": "code", "sentence": say("用小写字母开头，只含小写字母、数字、横线和下划线，2 到 40 个字符。")}],
        )
    if purpose not in PURPOSES:
        raise Invalid(say("问卷用途有误。"), [{"field": "purpose", "sentence": say("请从列出的用途中选择。")}])
    if not scope.reach("surveys.edit").sees_unit(unit_id):
        raise Invalid(say("只能为本单位建问卷。"), [{"field": "unit", "sentence": say("请选择本单位。")}])
    survey = parse(definition)
    if session.exec(select(Survey.id).where(Survey.code == code)).first() is not None:
        raise Conflict(say("问卷代码 %(code)s 已经有人用了，请换一个。", code=code))
    made = Survey(
        code=code,
        title=in_language(survey.title, survey.default_lang),
        purpose=purpose,
        unit_id=unit_id,
        draft=written(survey),
        created_at=now,
        created_by_id=scope.user_id,
    )
    session.add(made)
    session.flush()
    record(session, scope, "surveys.create", ("survey", code), now=now)
    return made


def edit(
    session: Session, scope: Scope, code: str, definition: Mapping[str, Any], *, draft_version: int, now: datetime
) -> Survey:
    """The survey with a new draft. Raises Invalid, and Conflict when somebody saved another draft meanwhile."""
    survey, parsed = queries.editable(session, scope, code), parse(definition)
    if survey.draft_version != draft_version:
        raise Conflict(say("草稿已被别人改过，请先查看最新的草稿。"), {"draft_version": survey.draft_version})
    survey.draft, survey.title = written(parsed), in_language(parsed.title, parsed.default_lang)
    survey.draft_version += 1
    session.add(survey)
    session.flush()
    record(session, scope, "surveys.edit", ("survey", code), now=now, detail={"draft_version": survey.draft_version})
    return survey


def publish(session: Session, scope: Scope, code: str, *, now: datetime) -> Publication:
    """The draft frozen as the next version and open to answers; the same draft again is the same version.

    Raises Invalid with every problem that forbids it.
    """
    survey = queries.editable(session, scope, code)
    draft, earlier = parse(survey.draft), queries.publications(session, survey)
    faults = [one for one in checks.problems(draft, [parse(row.definition) for row in earlier]) if one.level == "error"]
    if faults:
        listed = [{"field": fault.where, "sentence": fault.sentence} for fault in faults]
        raise Invalid(say("问卷还不能发布，请先改好列出的问题。"), listed)
    frozen = sha256(draft)
    if earlier and earlier[-1].sha256 == frozen:
        survey.state = "open"
        return earlier[-1]
    made = Publication(
        survey_id=survey.id or 0,
        version=survey.current_version + 1,
        definition=written(draft),
        sha256=frozen,
        published_at=now,
        published_by_id=scope.user_id,
    )
    session.add(made)
    survey.current_version, survey.state = made.version, "open"
    session.add(survey)
    session.flush()
    detail = {"version": made.version, "sha256": frozen}
    record(session, scope, "surveys.publish", ("survey", code), now=now, detail=detail)
    return made


def move(session: Session, scope: Scope, code: str, state: str, *, now: datetime) -> Survey:
    """The survey paused, opened again or closed. Raises Conflict when it cannot go there from where it is."""
    survey = queries.editable(session, scope, code)
    if state not in MOVES[survey.state]:
        raise Conflict(say("问卷现在不能这样做，请刷新后再看。"), {"state": survey.state})
    detail = {"from": survey.state, "to": state}
    survey.state = state
    session.add(survey)
    session.flush()
    record(session, scope, "surveys.move", ("survey", code), now=now, detail=detail)
    return survey
