"""What one person's path through a survey is: which items show, in which order, where it ends, how the words read.

`sdk/logic.js` answers the same for every vector in tests/data. One pass forwards: an item may only look at answers
before it, so an answer to an item that no longer shows is as if it were not given.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from surveys import conditions
from surveys.definition import AnyItem, Block, SurveyDefinition, in_language, options

#: `{{a.q1|fallback}}`; spaces only, because JS and Python disagree on what else is white.
PIPE = re.compile(r"\{\{ *([a-z]+\.[A-Za-z0-9_.]+) *(?:\|([^{}]*))?\}\}")
PIPED_LENGTH = 100  # characters of a customer's own words that a title may repeat
_JOINT = {"zh": "、"}


@dataclass(frozen=True, slots=True)
class Path:
    """The items shown in order, the ending reached, and the answers that count."""

    items: tuple[str, ...]
    ending: str
    active: Mapping[str, Any]


def walk(survey: SurveyDefinition, answers: Mapping[str, Any], facts: conditions.Facts, *, seed: str = "") -> Path:
    """The path these answers make; `facts` holds ctx, probe, tag, var and url, `seed` the order of chance."""
    active: dict[str, Any] = {}
    known = {**facts, "a": active}
    shown: list[str] = []
    at, blocks = 0, survey.blocks
    while at < len(blocks):
        block, to = blocks[at], None
        if conditions.holds(block.show_if, known):
            for item in ordered_items(block, seed):
                if conditions.holds(item.show_if, known):
                    shown.append(item.id)
                    if not conditions.is_empty(answers.get(item.id)):
                        active[item.id] = answers[item.id]
            to = next((jump.to for jump in block.next if conditions.holds(jump.when, known)), None)
        if to in survey.ending:
            return Path(tuple(shown), str(to), active)
        at = _position(blocks, to, at) if to else at + 1
    return Path(tuple(shown), _end(survey), active)


def _position(blocks: tuple[Block, ...], to: str, after: int) -> int:
    """Where to go on. Backwards is refused by the checks; in a draft it ends the path rather than never ending."""
    return next((at for at, block in enumerate(blocks) if block.id == to and at > after), len(blocks))


def _end(survey: SurveyDefinition) -> str:
    """Where one arrives who jumps nowhere: the first complete ending."""
    return next((end.id for end in survey.endings if end.kind == "complete"), survey.endings[0].id)


def chance(seed: str, name: str) -> int:
    """A number of 32 bits from the seed and a name: FNV-1a over UTF-8, then murmur's finish; the same in JS."""
    value = 0x811C9DC5
    for byte in f"{seed}:{name}".encode("utf-8", "replace"):
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    value = ((value ^ (value >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    value = ((value ^ (value >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return value ^ (value >> 16)


def shuffled(names: Iterable[str], seed: str, keep_last: int = 0) -> list[str]:
    """The names in the order of chance the seed gives; the last `keep_last` stay last."""
    names = list(names)
    cut = max(len(names) - keep_last, 0)
    return sorted(names[:cut], key=lambda name: (chance(seed, name), name)) + names[cut:]


def ordered_items(block: Block, seed: str) -> list[AnyItem]:
    """The block's items in the order this person sees them."""
    if not block.shuffle:
        return list(block.items)
    by_id = {item.id: item for item in block.items}
    return [by_id[name] for name in shuffled(by_id, f"{seed}:{block.id}")]


def ordered_options(item: AnyItem, seed: str) -> list[str]:
    """The ids of the item's options in the order this person sees them."""
    names = [option.id for option in options(item)]
    shuffle = getattr(item, "shuffle", None)
    return shuffled(names, f"{seed}:{item.id}", shuffle.keep_last) if shuffle else names


def piped(survey: SurveyDefinition, wording: str, facts: conditions.Facts, lang: str) -> str:
    """The wording with `{{reference|fallback}}` filled in. Plain text: whoever shows it escapes it."""

    def fill(match: re.Match[str]) -> str:
        ref, fallback = match[1], match[2] or ""
        return _said(survey, ref, conditions.resolve(ref, facts), lang) or fallback

    return PIPE.sub(fill, wording)


def references(survey: SurveyDefinition) -> set[str]:
    """Every reference that the customer's side looks at: conditions of blocks, items and jumps, and piped words."""
    shown: list[conditions.Condition] = [part.show_if for block in survey.blocks for part in (block, *block.items)]
    jumps = [jump.when for block in survey.blocks for jump in block.next]
    words = [wording for item in survey.items for wording in item.title.values()]
    return {leaf["ref"] for one in (*shown, *jumps) for leaf in conditions.leaves(one)} | {
        match[1] for wording in words for match in PIPE.finditer(wording)
    }


def _said(survey: SurveyDefinition, ref: str, value: Any, lang: str) -> str:
    """A value as words: options by their text, numbers as they are written; empty when it cannot be said."""
    if isinstance(value, list | tuple):
        parts = [_said(survey, ref, one, lang) for one in value]
        return _JOINT.get(lang[:2], ", ").join(part for part in parts if part)
    if isinstance(value, bool) or value is None or isinstance(value, Mapping):
        return ""
    if isinstance(value, int | float):
        return _number(value)
    return (_option_text(survey, ref, value, lang) or value)[:PIPED_LENGTH]


def _option_text(survey: SurveyDefinition, ref: str, value: str, lang: str) -> str:
    namespace, _, name = ref.partition(".")
    item = survey.item.get(name.partition(".")[0]) if namespace == "a" else None
    found = options(item) if item else ()
    texts = (in_language(option.text, lang, survey.default_lang) for option in found if option.id == value)
    return next(texts, "")


def _number(value: float) -> str:
    """3.0 as "3", 2.5 as "2.5"; very large or small ones are not said, as JS and Python write them differently."""
    if abs(value) >= 1e15:
        return ""
    if value == int(value):
        return str(int(value))
    return repr(value) if abs(value) >= 1e-4 else ""
