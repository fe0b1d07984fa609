"""One form class a published version, whatever way the answers come in: widget, page, API.

A field takes the value in its JSON shape (`from_page` turns a page's strings into that shape first) and refuses
anything else. Which items had to be answered, and which could not have been, is decided by the path afterwards.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from wtforms import Field, Form, ValidationError

from experience.ground.i18n import say
from experience.voices import intake
from surveys import conditions, logic
from surveys.definition import AnyItem, Consent, Matrix, Multi, Rank, SurveyDefinition, Words, options, scale

PREFIX = "a."  # so that an item called `data` or `errors` is no attribute of the form
OTHER_LENGTH = 200


class Given(dict[str, Any]):
    """Answers as WTForms wants to read them: one value a name, whatever its type."""

    def getlist(self, name: str) -> list[Any]:
        """The value, alone in a list."""
        return [self[name]]


class AnswerField(Field):  # type: ignore[misc]  # WTForms has no types
    """A field that knows its item. Empty values are no answer; `check` returns the value kept or raises."""

    def __init__(self, item: AnyItem, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.item: Any = item  # of the type the field is for, see FIELDS

    def process_formdata(self, valuelist: list[Any]) -> None:
        value = valuelist[0] if valuelist else None
        self.data = None if conditions.is_empty(value) else value

    def pre_validate(self, form: Form) -> None:
        if self.data is not None:
            self.data = self.check(self.data)

    def check(self, value: Any) -> Any:
        """The value as it is kept. Raises ValidationError with a sentence for the customer."""
        raise NotImplementedError


class ScaleField(AnswerField):
    """A whole number between the ends of the item's scale."""

    def check(self, value: Any) -> int:
        low, high = scale(self.item) or (0, 0)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValidationError(say("请选择 %(low)s 到 %(high)s 之间的整数。", low=low, high=high))
        return value


class ChoiceField(AnswerField):
    """The id of one option."""

    def check(self, value: Any) -> str:
        return _one_of({option.id for option in self.item.options}, value)


class ChoicesField(AnswerField):
    """The ids of several options, each once, within the item's limits."""

    def check(self, value: Any) -> list[str]:
        item: Multi = self.item
        chosen = _distinct(item, value)
        exclusive = {option.id for option in item.options if option.exclusive}
        if len(chosen) > 1 and exclusive & set(chosen):
            raise ValidationError(say("选了“以上都不是”一类的选项后，不能再选其他选项。"))
        if item.min and len(chosen) < item.min and not exclusive & set(chosen):
            raise ValidationError(say("请至少选择 %(n)s 项。", n=item.min))
        if item.max and len(chosen) > item.max:
            raise ValidationError(say("最多选择 %(n)s 项。", n=item.max))
        return [option.id for option in item.options if option.id in chosen]


class RankField(AnswerField):
    """The ids of options, best first: all of them, or the first `max`."""

    def check(self, value: Any) -> list[str]:
        item: Rank = self.item
        chosen, wanted = _distinct(item, value), item.max or len(item.options)
        if len(chosen) != min(wanted, len(item.options)):
            raise ValidationError(say("请排出 %(n)s 项的先后，每项一次。", n=min(wanted, len(item.options))))
        return chosen


class MatrixField(AnswerField):
    """Row id -> option id."""

    def check(self, value: Any) -> dict[str, str]:
        item: Matrix = self.item
        if not isinstance(value, Mapping) or not all(isinstance(row, str) for row in value):
            raise ValidationError(say("请在每一行选择一项。"))
        rows, columns = {row.id for row in item.rows}, {option.id for option in item.options}
        chosen = {row: _one_of(columns, value[row]) for row in value if not conditions.is_empty(value[row])}
        if set(chosen) - rows:
            raise ValidationError(say("题目里没有这一行。"))
        return {row.id: chosen[row.id] for row in item.rows if row.id in chosen}


class WordsField(AnswerField):
    """Text, cleaned of what no database or reader can take, of a limited length in characters."""

    def check(self, value: Any) -> str | None:
        item: Words = self.item
        return clean(value, item.max)


class ConsentField(AnswerField):
    """True when agreed. False is no answer, so that a required consent must be given."""

    def check(self, value: Any) -> bool | None:
        if not isinstance(value, bool):
            raise ValidationError(say("请勾选或不勾选。"))
        return value or None


class OtherField(AnswerField):
    """The customer's own words beside an option that asks for them."""

    def check(self, value: Any) -> str | None:
        return clean(value, OTHER_LENGTH)


FIELDS: Mapping[str, type[AnswerField]] = {
    **dict.fromkeys(("nps", "csat", "ces", "score10", "rating"), ScaleField),
    **dict.fromkeys(("single", "dropdown"), ChoiceField),
    "multi": ChoicesField,
    "rank": RankField,
    "matrix": MatrixField,
    "text": WordsField,
    "consent": ConsentField,
}


def clean(value: Any, limit: int) -> str | None:
    """Text without control characters, lone surrogates and outer space; None when nothing is left."""
    if not isinstance(value, str):
        raise ValidationError(say("请填写文字。"))
    kept = intake.clean(value)
    if len(kept) > limit:
        raise ValidationError(say("最多 %(n)s 个字，现在有 %(length)s 个。", n=limit, length=len(kept)))
    return kept or None


def _one_of(known: set[str], value: Any) -> str:
    if not isinstance(value, str) or value not in known:
        raise ValidationError(say("请从列出的选项中选择。"))
    return value


def _distinct(item: Multi | Rank, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValidationError(say("请从列出的选项中选择。"))
    known = {option.id for option in item.options}
    if len(set(value)) != len(value):
        raise ValidationError(say("同一个选项只能选一次。"))
    return [_one_of(known, one) for one in value]


class AnswerForm(Form):  # type: ignore[misc]
    """Base of the form classes; `survey` is the version it was built from."""

    survey: ClassVar[SurveyDefinition]

    @classmethod
    def of(cls, answers: Mapping[str, Any]) -> "AnswerForm":
        """The form filled with answers in their JSON shape."""
        return cls(formdata=Given({PREFIX + name: value for name, value in answers.items()}))

    @classmethod
    def knows(cls, name: str) -> bool:
        """Whether an answer of this name can belong to the survey."""
        return hasattr(cls, PREFIX + name)

    def answers(self) -> dict[str, Any]:
        """The answers given, in their JSON shape."""
        return {name[len(PREFIX) :]: field.data for name, field in self._fields.items() if field.data is not None}

    def faults(self, path: logic.Path, *, is_partial: bool) -> Mapping[str, str]:
        """What is wrong once the path is known: answers to hidden items, required ones not given."""
        given, shown = self.answers(), set(path.items)
        hidden = {name: say("这道题没有展示，不能作答。") for name in given if name.partition(".")[0] not in shown}
        return hidden if is_partial else {**_missing(self.survey, path), **_stray_words(self.survey, given), **hidden}


def form_for(survey: SurveyDefinition) -> type[AnswerForm]:
    """The form class of a version: a field for each item that can be answered, and one for words of one's own."""
    fields: dict[str, Any] = {"survey": survey}
    for item in survey.items:
        if item.type in FIELDS:
            fields[PREFIX + item.id] = FIELDS[item.type](item)
        if any(option.other for option in options(item)):
            fields[f"{PREFIX}{item.id}.other"] = OtherField(item)
    return type("SurveyForm", (AnswerForm,), fields)


def _missing(survey: SurveyDefinition, path: logic.Path) -> Mapping[str, str]:
    """Required items that showed and were not answered; of a matrix, every row."""
    missing: dict[str, str] = {}
    for name in path.items:
        item, value = survey.item[name], path.active.get(name)
        if not item.required or item.type == "statement":
            continue
        if value is None:
            missing[name] = say("请同意后再提交。") if isinstance(item, Consent) else say("这道题需要回答。")
        elif isinstance(item, Matrix) and len(value) < len(item.rows):
            missing[name] = say("请在每一行选择一项。")
    return missing


def _stray_words(survey: SurveyDefinition, given: Mapping[str, Any]) -> Mapping[str, str]:
    """Words of one's own without the option that asks for them."""
    stray: dict[str, str] = {}
    for name in given:
        item_id, _, is_other = name.partition(".")
        if is_other:
            chosen = given.get(item_id)
            asked = {option.id for option in options(survey.item[item_id]) if option.other}
            if not asked & set(chosen if isinstance(chosen, list) else [chosen]):
                stray[name] = say("没有选择“其他”，不需要填写说明。")
    return stray


def from_page(survey: SurveyDefinition, sent: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Answers in their JSON shape from a page's fields: `a.q1`, `a.q2.other`, `a.matrix.row`, `a.rank.option`.

    What cannot be of the shape is left as the text it came in, for the form to refuse.
    """
    found = {}
    for item in survey.items:
        name = PREFIX + item.id
        value = _from_fields(item, name, sent)
        if not conditions.is_empty(value) and value is not False:
            found[item.id] = value
        if _first(sent, f"{name}.other").strip():
            found[f"{item.id}.other"] = _first(sent, f"{name}.other")
    return found


def _first(sent: Mapping[str, Sequence[str]], name: str) -> str:
    return next(iter(sent.get(name, ())), "")


def _from_fields(item: AnyItem, name: str, sent: Mapping[str, Sequence[str]]) -> Any:
    single = _first(sent, name)
    if scale(item):
        return int(single) if single.isascii() and single.isdigit() and len(single) < 4 else single
    if item.type == "multi":
        return list(sent.get(name, ()))
    if item.type == "consent":
        return bool(single)
    if item.type == "matrix":
        rows = {row.id: _first(sent, f"{name}.{row.id}") for row in item.rows}
        return {row: option for row, option in rows.items() if option}
    if item.type == "rank":
        return _ranked({option.id: _first(sent, f"{name}.{option.id}") for option in item.options})
    return single


def _ranked(places: Mapping[str, str]) -> list[str] | str:
    """Options by their place; a text, which no form takes, when two share one."""
    chosen = sorted((place.zfill(3), option) for option, place in places.items() if place)
    is_clear = len({place for place, _ in chosen}) == len(chosen)
    return [option for _, option in chosen] if is_clear else "two in one place"
