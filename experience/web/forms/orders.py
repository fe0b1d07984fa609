"""The small forms of an order: one class per act, with the fields CONTRACT §3 gives it."""

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateTimeLocalField,
    Field,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from experience.web.saying import BEIJING

LONG = 2000
_NOTE = {"rows": 3}


class ActForm(FlaskForm):  # type: ignore[misc]
    """Base of every act's form; an act without fields uses it as it is."""

    def values(self) -> dict[str, Any]:
        """The filled fields as the contract names them; instants are read as Beijing time."""
        made: dict[str, Any] = {}
        for field in self:
            if field.name == "csrf_token" or field.data is None or field.data == "":
                continue
            value = field.data
            made[field.name] = value.replace(tzinfo=BEIJING).isoformat() if isinstance(value, datetime) else value
        return made

    def visible(self) -> list[Field]:
        """The fields to draw."""
        return [field for field in self if field.name != "csrf_token"]


def _reason(label: Any, description: Any = "") -> TextAreaField:
    return TextAreaField(
        label, [DataRequired(_l("请填写原因")), Length(max=LONG)], render_kw=_NOTE, description=description
    )


def _note(label: Any) -> TextAreaField:
    return TextAreaField(label, [Optional(), Length(max=LONG)], render_kw={"rows": 2})


class TransferForm(ActForm):
    """Hand the order to another unit below the same one."""

    unit = SelectField(_l("转给"), [DataRequired(_l("请选择单位"))])
    reason = _reason(_l("转派原因"), _l("办结时限不因转派重新计算。"))


class DispatchForm(ActForm):
    """A child order, or a returned order sent again."""

    unit = SelectField(_l("派给"), [DataRequired(_l("请选择单位"))])
    instructions = TextAreaField(
        _l("处理要求"), [DataRequired(_l("请写明要求对方做什么")), Length(max=LONG)], render_kw=_NOTE
    )


class ReplyForm(ActForm):
    """What was found, what was done, whether the customer was told."""

    cause = SelectField(_l("原因归类"), [DataRequired(_l("请选择原因"))])
    note = TextAreaField(
        _l("核查情况"),
        [DataRequired(_l("请写明核查到了什么")), Length(max=LONG)],
        render_kw={"rows": 4},
        description=_l("查到了什么、影响哪些客户、依据是什么。"),
    )
    measure = TextAreaField(
        _l("整改措施"),
        [DataRequired(_l("请写明做了什么")), Length(max=LONG)],
        render_kw={"rows": 4},
        description=_l("做了什么、什么时候生效、怎样防止再发生。回访和成效测算以此为准。"),
    )
    contacted = BooleanField(_l("已联系受影响的客户"))

    def values(self) -> dict[str, Any]:
        """As the contract names them; an unticked box is said as false, not left out."""
        return {**super().values(), "contacted": bool(self.contacted.data)}


class ReasonForm(ActForm):
    """An act that needs a reason and nothing else."""

    reason = _reason(_l("原因"))


class ConfirmForm(ActForm):
    """The reply is accepted."""

    score = IntegerField(
        _l("质检评分（0–100，可不填）"),
        [Optional(), NumberRange(0, 100, _l("请填 0–100 的整数"))],
        render_kw={"inputmode": "numeric"},
    )
    note = _note(_l("核验意见"))


class ReturnForm(ActForm):
    """The order is not ours."""

    reason = _reason(_l("退单原因"), _l("审批期间时限照常计算；被驳回两次后将不能再退。"))
    evidence = StringField(_l("依据（文件号、链接或截图说明）"), [Optional(), Length(max=500)])
    suggest = SelectField(_l("建议派给"), [Optional()])


class SuspendForm(ActForm):
    """Wait for the customer, a third party, or the end of force majeure."""

    reason = SelectField(
        _l("挂起原因"),
        [DataRequired(_l("请选择原因"))],
        choices=[            SelectChoice("等用户", _l("等用户")),
            SelectChoice("等第三方", _l("等第三方")),
            SelectChoice("不可抗力", _l("不可抗力")),
        ],
    )  # fmt: skip
    until = DateTimeLocalField(
        _l("恢复时间（北京时间）"), [InputRequired(_l("请填写恢复时间"))], format="%Y-%m-%dT%H:%M"
    )


class ExtendForm(ActForm):
    """More time, asked for before the due instant."""

    reason = _reason(_l("延期原因"), _l("须在到期前申请，只能延期一次；原时限会保留在报表里。"))
    due_at = DateTimeLocalField(
        _l("新的办结时限（北京时间）"), [InputRequired(_l("请填写新的时限"))], format="%Y-%m-%dT%H:%M"
    )


class NoteForm(ActForm):
    """An act that may carry a note."""

    note = _note(_l("说明"))


class CallbackForm(ActForm):
    """What the customer said when asked again."""

    result = RadioField(
        _l("回访结果"),
        [InputRequired(_l("请选择回访结果"))],
        choices=[            SelectChoice("satisfied", _l("满意")), SelectChoice("basically", _l("基本满意")),
            SelectChoice("dissatisfied", _l("不满意")), SelectChoice("unreachable", _l("未接通")),
        ],
    )  # fmt: skip
    responsible = BooleanField(_l("不满意且责任成立（退回承办单位重办）"))
    note = _note(_l("客户原话或说明"))


class MergeForm(ActForm):
    """This order becomes part of another."""

    into = StringField(_l("并入工单编号"), [DataRequired(_l("请填写工单编号")), Length(max=40)])


class DecisionForm(ActForm):
    """Yes or no to a request."""

    decision = RadioField(
        _l("审批结果"),
        [InputRequired(_l("请选择同意或不同意"))],
        choices=[SelectChoice("approve", _l("同意")), SelectChoice("reject", _l("不同意"))],
    )
    reason = _reason(_l("审批意见"))


FORMS: dict[str, type[ActForm]] = {
    "accept": ActForm,
    "transfer": TransferForm,
    "dispatch": DispatchForm,
    "submit": ReplyForm,
    "reply": ReplyForm,
    "approve_internal": ActForm,
    "reject_internal": ReasonForm,
    "confirm": ConfirmForm,
    "reject": ReasonForm,
    "return": ReturnForm,
    "suspend": SuspendForm,
    "resume": ActForm,
    "extend": ExtendForm,
    "urge": NoteForm,
    "supervise": NoteForm,
    "escalate": ReasonForm,
    "callback": CallbackForm,
    "archive": ActForm,
    "reopen": ReasonForm,
    "merge": MergeForm,
    "cancel": ReasonForm,
}
