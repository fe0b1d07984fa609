"""The survey definition `cx-survey/1`: what may be written, parsed into frozen values. Unknown fields are rejected."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from experience.ground.errors import Invalid
from experience.ground.i18n import say
from surveys import conditions

SCHEMA = "cx-survey/1"

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
LocalTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Wording = Annotated[str, StringConstraints(max_length=2000)]
Text = Annotated[dict[Language, Wording], Field(min_length=1)]


def _sound(condition: dict[str, Any] | None) -> dict[str, Any] | None:
    fault = conditions.fault(condition)
    if fault:
        raise ValueError(fault)
    return condition


Condition = Annotated[dict[str, Any] | None, AfterValidator(_sound)]


class Part(BaseModel):
    """Base of every part of a definition: frozen, strict, camelCase in JSON, nothing unknown."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, alias_generator=to_camel, ignored_types=(cached_property,)
    )


class Option(Part):
    """A choice. `exclusive` rules out all others; `other` asks for words of one's own beside it."""

    id: Id
    text: Text
    exclusive: bool = False
    other: bool = False


class Shuffle(Part):
    """Options in an order of chance, the last `keep_last` of them staying last."""

    keep_last: int = Field(0, ge=0, le=10)


class Item(Part):
    """What every item has. `metric` says which measure it feeds: explicit, never guessed from the scale."""

    id: Id
    title: Text
    help: Text | None = None
    required: bool = False
    show_if: Condition = None
    metric: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{0,63}$")] | None = None


class Nps(Item):
    """Likelihood to recommend, 0 to 10."""

    type: Literal["nps"]
    low_label: Text | None = None
    high_label: Text | None = None


class Csat(Item):
    """Satisfaction, 1 to 5."""

    type: Literal["csat"]


class Ces(Item):
    """Ease, 1 to 7; high is easy (CES 2.0)."""

    type: Literal["ces"]


class Score10(Item):
    """The Chinese operators' scale, 1 to 10."""

    type: Literal["score10"]


class Rating(Item):
    """A scale of 1 to `scale`, drawn as stars, faces or numbers."""

    type: Literal["rating"]
    scale: int = Field(5, ge=2, le=10)
    style: Literal["star", "smiley", "number"] = "star"
    low_label: Text | None = None
    high_label: Text | None = None


class Choice(Item):
    """What items with options have."""

    options: tuple[Option, ...] = Field(min_length=1, max_length=200)
    shuffle: Shuffle | None = None


class Single(Choice):
    """One of several."""

    type: Literal["single"]


class Dropdown(Choice):
    """One of many, in a list that folds."""

    type: Literal["dropdown"]


class Multi(Choice):
    """Several of several, between `min` and `max`."""

    type: Literal["multi"]
    min: int | None = Field(None, ge=1)
    max: int | None = Field(None, ge=1)


class Rank(Choice):
    """Options put in order; all of them, or the first `max`."""

    type: Literal["rank"]
    max: int | None = Field(None, ge=1)


class MatrixRow(Part):
    """A row of a matrix."""

    id: Id
    text: Text


class Matrix(Item):
    """One choice of `options` for each row."""

    type: Literal["matrix"]
    rows: tuple[MatrixRow, ...] = Field(min_length=1, max_length=30)
    options: tuple[Option, ...] = Field(min_length=2, max_length=11)


class Words(Item):
    """Free text of at most `max` characters; `analyse` makes the answer a voice."""

    type: Literal["text"]
    max: int = Field(1000, ge=1, le=5000)
    multiline: bool = True
    analyse: bool = False
    placeholder: Text | None = None


class Statement(Item):
    """Words to read; nothing is answered."""

    type: Literal["statement"]


class Consent(Item):
    """A policy to agree to, with its version."""

    type: Literal["consent"]
    policy_version: str = ""


AnyItem = Annotated[
    Nps | Csat | Ces | Score10 | Rating | Single | Dropdown | Multi | Rank | Matrix | Words | Statement | Consent,
    Field(discriminator="type"),
]


class Jump(Part):
    """After a block, go on at `to` (a later block or an ending) when the condition holds."""

    when: Condition = Field(None, alias="if")
    to: Id


class Block(Part):
    """Items that belong together; `next` is looked at after the last of them."""

    id: Id
    title: Text | None = None
    shuffle: bool = False
    show_if: Condition = None
    items: tuple[AnyItem, ...] = Field(min_length=1, max_length=100)
    next: tuple[Jump, ...] = ()


class Ending(Part):
    """Where a path ends: answered to the end, or turned away."""

    id: Id
    kind: Literal["complete", "screenout"]
    title: Text | None = None
    text: Text | None = None


class Quota(Part):
    """At most `limit` completed answers for which the condition holds; more go to the ending `then`."""

    id: Id
    when: Condition = Field(None, alias="if")
    limit: int = Field(ge=1)
    then: Id


Channel = Literal["popover", "inline", "link", "qr", "api"]


class SurveyTrigger(Part):
    """When the probes should offer this survey; see probes for who looks at it."""

    type: Literal["anomaly", "event"]
    touchpoint: str = Field(max_length=100)
    event: str | None = None
    min_severity: int | None = Field(None, ge=1, le=3)
    sample: float | None = Field(None, ge=0, le=1)
    sample_class: Literal["baseline", "anomaly"] = "baseline"


class Contact(Part):
    """This survey's own contact settings; what is not given is the house's default (SURVEYS §2).

    `quiet` is [from, to] in local time, an empty list for none; `holdout` and `sample` are shares.
    """

    sample: float | None = Field(None, ge=0, le=1)
    max_shows: int | None = Field(None, ge=1)
    repeat_after_days: float | None = Field(None, ge=0)
    cooldown_days: float | None = Field(None, ge=0)
    max_per_session: int | None = Field(None, ge=1)
    dismiss_backoff_days: float | None = Field(None, ge=0)
    quiet: tuple[LocalTime, ...] | None = None
    holdout: float | None = Field(None, ge=0, le=1)
    priority: int | None = None

    @model_validator(mode="after")
    def _quiet_has_two_ends(self) -> "Contact":
        if self.quiet is not None and len(self.quiet) not in (0, 2):
            raise ValueError("免打扰时段要写起止两个时间，或留空列表表示不设。")
        return self


class Distribution(Part):
    """Where, when and to whom the survey goes."""

    channels: tuple[Channel, ...] = ("popover", "inline", "link", "qr", "api")
    triggers: tuple[SurveyTrigger, ...] = ()
    audience: Condition = None
    contact: Contact = Contact()


class Action(Part):
    """What a finished answer sets off: a voice, or a voice that asks for an issue of this severity."""

    when: Condition = Field(None, alias="if")
    do: Literal["voice", "issue"]
    severity: int | None = Field(None, ge=1, le=4)


class Privacy(Part):
    """Whether answers can be traced to a person, and how long they are kept."""

    level: Literal["anonymous", "pseudonymous", "identified"] = "pseudonymous"
    retention_days: int = Field(730, ge=1, le=3650)


class SurveyDefinition(Part):
    """A whole survey."""

    schema_: Literal["cx-survey/1"] = Field(alias="schema")
    title: Text
    intro: Text | None = None
    default_lang: Language = "zh-CN"
    privacy: Privacy = Privacy()
    blocks: tuple[Block, ...] = Field(min_length=1, max_length=50)
    endings: tuple[Ending, ...] = Field(min_length=1, max_length=20)
    quotas: tuple[Quota, ...] = Field((), max_length=50)
    distribution: Distribution = Distribution()
    actions: tuple[Action, ...] = Field((), max_length=50)

    @model_validator(mode="after")
    def _ids_are_said_once(self) -> "SurveyDefinition":
        repeated = sorted(name for name, times in Counter(self._ids()).items() if times > 1)
        if repeated:
            raise ValueError(f"编号重复：{'、'.join(repeated)}。")
        return self

    def _ids(self) -> Iterator[str]:
        for parts in (self.blocks, self.endings, self.quotas):
            yield from (part.id for part in parts)
        for item in self.items:
            yield item.id
            yield from (f"{item.id}.{option.id}" for option in options(item))
            yield from (f"{item.id}.{row.id}" for row in getattr(item, "rows", ()))

    @cached_property
    def items(self) -> tuple[AnyItem, ...]:
        """All items in the order written."""
        return tuple(item for block in self.blocks for item in block.items)

    @cached_property
    def item(self) -> Mapping[str, AnyItem]:
        """Items by id."""
        return {item.id: item for item in self.items}

    @cached_property
    def ending(self) -> Mapping[str, Ending]:
        """Endings by id."""
        return {ending.id: ending for ending in self.endings}

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages the survey speaks: those of its title."""
        return tuple(self.title)


#: The ends of each scale.
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "score10": (1, 10)}


def options(item: AnyItem) -> tuple[Option, ...]:
    """The options of an item that has some; none for other items."""
    found: tuple[Option, ...] = getattr(item, "options", ())
    return found


def scale(item: AnyItem) -> tuple[int, int] | None:
    """Lowest and highest number of a scale item; None for other items."""
    return (1, item.scale) if isinstance(item, Rating) else SCALES.get(item.type)


def parse(written: Any) -> SurveyDefinition:
    """The survey written as JSON-ready values. Raises Invalid, naming each place and what is wrong there."""
    try:
        return SurveyDefinition.model_validate_json(json.dumps(written, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        found = error.errors() if isinstance(error, ValidationError) else []
        raise Invalid(
            say("问卷定义有误，请按提示修改。"),
            [{"field": ".".join(map(str, one["loc"])), "sentence": _sentence(one)} for one in found],
        ) from error


def _sentence(error: Any) -> str:
    kinds = {
        "extra_forbidden": say("不认识的字段，请删除。"),
        "missing": say("缺少这一项，请补上。"),
        "union_tag_invalid": say("没有这种题型。"),
        "union_tag_not_found": say("缺少题型 type。"),
        "string_pattern_mismatch": say("写法不合规定：编号用小写字母开头，只含小写字母、数字和下划线。"),
    }
    return kinds.get(error["type"], str(error["msg"]).removeprefix("Value error, "))


def written(survey: SurveyDefinition) -> dict[str, Any]:
    """The survey as JSON-ready values; parsing it again gives the same survey."""
    kept: dict[str, Any] = survey.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return kept


def sha256(survey: SurveyDefinition) -> str:
    """Fingerprint of what is frozen: SHA-256 of the canonical JSON."""
    canonical = json.dumps(written(survey), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def in_language(text: Mapping[str, str] | None, lang: str, default: str = "zh-CN") -> str:
    """The wording in this language, else in the default one, else in any."""
    if not text:
        return ""
    return text.get(lang) or text.get(default) or next(iter(text.values()))
