"""From the reply on: handed in, reviewed, called back, archived, reopened."""

from experience.ground.i18n import say
from experience.orders import lifecycle
from experience.orders.operations import clocks as clockwork
from experience.orders.operations.archiving import archive, reopen
from experience.orders.operations.doing import Doing
from experience.orders.operations.following import ask_again
from experience.orders.operations.holding import note_due
from experience.orders.queries.steps import count_steps


def reply(doing: Doing) -> None:
    """The unit's answer: to the approver where the unit wants one, else to the reviewer."""
    order, said = doing.order, doing.fields
    order.reply_note, order.reply_cause = said["note"], said["cause"]
    order.reply_measure, order.reply_contacted = said["measure"], said["contacted"]
    to = lifecycle.target(doing.action, doing.held.standing)
    if said["contacted"]:
        doing.stop("contact")
    doing.stop("supervise")
    if to == "submitted":
        _hand_in(doing)
    doing.step(note=said["note"], detail={name: said[name] for name in ("cause", "measure", "contacted")})


def _hand_in(doing: Doing) -> None:
    """The reply leaves the unit: RESOLVE stops tentatively, the reviewer's clock starts.

    The law wants the customer answered: where that was done, the statutory clock stops too.
    """
    doing.stop("resolve", *(["statutory"] if doing.order.reply_contacted else []))
    doing.order.submitted_at = doing.now
    name = doing.held.above.calendar if doing.held.above else "cn-office"
    limit = doing.limit("review", "4wh")
    clockwork.start(doing.session, doing.order, "review", limit, at=doing.now, calendar_name=name)
    note_due(doing.order, doing.held.latest("resolve"))


def approve_internal(doing: Doing) -> None:
    """The unit's own approver lets the reply out."""
    _hand_in(doing)
    doing.step(note=doing.fields.get("note", ""))


def reject_internal(doing: Doing) -> None:
    """The unit's own approver wants it better."""
    doing.step(reason=doing.fields["reason"])
    doing.tell(say("省内审核退回：工单 %(code)s %(title)s"))


def confirm(doing: Doing) -> None:
    """The reply is good: RESOLVE is final as of the reply. Affected customers are asked again, or the order ends."""
    doing.stop("review", "contact", "accept")
    detail = {"score": doing.fields["score"]} if doing.fields.get("score") is not None else {}
    asked = ask_again(doing.session, doing.held, now=doing.now) if doing.held.above is None else 0
    if asked:
        limit = doing.limit("callback", "1wd")
        clockwork.start(doing.session, doing.order, "callback", limit, at=doing.now, calendar_name="cn-office")
        doing.step(to="callback", note=doing.fields.get("note", ""), detail={**detail, "asked": asked})
        return
    doing.step(to="submitted", note=doing.fields.get("note", ""), detail=detail)
    archive(
        doing.session, doing.scope, doing.held, now=doing.now, note=say("没有可回访的客户，核验通过即归档").template
    )


def reject(doing: Doing) -> None:
    """The reviewer wants it better: the time of the review is left out, the law's clock ran on."""
    doing.stop("review")
    doing.order.reject_count += 1
    resolve = doing.held.latest("resolve")
    if resolve is not None and doing.order.submitted_at is not None:
        clockwork.take_back(doing.session, resolve, submitted_at=doing.order.submitted_at, now=doing.now)
        note_due(doing.order, resolve)
    clockwork.run_on(doing.session, doing.held.latest("statutory"))
    doing.order.submitted_at = None
    doing.step(reason=doing.fields["reason"])
    doing.tell(say("核验退回：工单 %(code)s %(title)s"))


def callback(doing: Doing) -> None:
    """What an agent heard on the phone: a third failed try ends it, fault begins a new cycle."""
    result = doing.fields["result"]
    detail = {"result": result, "responsible": bool(doing.fields.get("responsible"))}
    note = doing.fields.get("note", "")
    if result == "unreachable" and _tries(doing) < 2:  # noqa: PLR2004 - three tries: this one is the third
        doing.step(to="callback", note=note, detail=detail)
        return
    if result == "dissatisfied" and doing.fields.get("responsible"):
        reopen(
            doing.session,
            doing.scope,
            doing.held,
            "callback",
            reason=note or say("回访不满意，责任成立").template,
            now=doing.now,
        )
        return
    archive(doing.session, doing.scope, doing.held, now=doing.now, action="callback", note=note, detail=detail)


def _tries(doing: Doing) -> int:
    return count_steps(doing.session, doing.order.id or 0, "callback", since="confirm")


def close(doing: Doing) -> None:
    """The callback is given up, or was done elsewhere."""
    archive(doing.session, doing.scope, doing.held, now=doing.now, note=doing.fields.get("note", ""))


def open_again(doing: Doing) -> None:
    """It was not solved after all."""
    reopen(doing.session, doing.scope, doing.held, "reopen", reason=doing.fields["reason"], now=doing.now)
