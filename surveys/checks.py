"""What must be mended before a survey may be published: references, reachability, languages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from experience.ground.i18n import say
from surveys import conditions
from surveys.definition import AnyItem, Part, SurveyDefinition, options, scale
from surveys.logic import PIPE

COMBINATIONS = 4_000  # of answers tried before a condition is given the benefit of the doubt


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing found. An `error` forbids publishing, a `warning` does not; `where` is an id."""

    level: str
    where: str
    sentence: str


def problems(survey: SurveyDefinition, earlier: Sequence[SurveyDefinition] = ()) -> list[Problem]:
    """All that is wrong with the survey, worst first; `earlier` are its published versions."""
    found = [
        *_references(survey),
        *_jumps(survey),
        *_unreachable(survey),
        *_languages(survey),
        *_items(survey),
        *_endings(survey),
        *_reused(survey, earlier),
    ]
    return sorted(found, key=lambda problem: problem.level != "error")


def _error(where: str, sentence: str) -> Problem:
    return Problem("error", where, sentence)


def _references(survey: SurveyDefinition) -> Iterator[Problem]:
    """Every `a.` reference must name an item shown before its use, and values its options."""
    known: dict[str, AnyItem] = {}
    for block in survey.blocks:
        yield from _condition(block.id, block.show_if, known)
        before = dict(known)
        for item in block.items:
            # in a shuffled block nobody knows which of its items come first
            seen = before if block.shuffle else known
            yield from _condition(item.id, item.show_if, seen)
            yield from _pipes(item, seen)
            known[item.id] = item
        for jump in block.next:
            yield from _condition(block.id, jump.when, known)
    for quota in survey.quotas:
        yield from _condition(quota.id, quota.when, known)
    for action in survey.actions:
        yield from _condition("actions", action.when, known)
    if any(leaf["ref"].startswith("a.") for leaf in conditions.leaves(survey.distribution.audience)):
        yield _error("audience", say("目标人群在答题之前判断，不能引用答案。"))


def _condition(where: str, condition: conditions.Condition, known: Mapping[str, AnyItem]) -> Iterator[Problem]:
    for leaf in conditions.leaves(condition):
        namespace, _, name = leaf["ref"].partition(".")
        if namespace != "a":
            continue
        item = known.get(name.partition(".")[0])
        if item is None:
            yield _error(where, say("条件引用了 %(ref)s，但它不存在或排在后面。", ref=leaf["ref"]))
        else:
            yield from _operand(where, leaf, item)


def _operand(where: str, leaf: Mapping[str, Any], item: AnyItem) -> Iterator[Problem]:
    known = {option.id for option in options(item)}
    value = leaf.get("value")
    wanted = value if isinstance(value, list) else [value]
    if item.type == "statement":
        yield _error(where, say("%(ref)s 是说明文字，没有答案可以判断。", ref=leaf["ref"]))
    elif known and leaf["op"] not in conditions.UNARY:
        for one in wanted:
            if one not in known:
                yield _error(where, say("%(ref)s 没有选项 %(option)s。", ref=leaf["ref"], option=str(one)))


def _pipes(item: AnyItem, known: Mapping[str, AnyItem]) -> Iterator[Problem]:
    for wording in item.title.values():
        for match in PIPE.finditer(wording):
            namespace, _, name = match[1].partition(".")
            if namespace == "a" and name.partition(".")[0] not in known:
                yield _error(item.id, say("题目引用了 %(ref)s，但它不存在或排在后面。", ref=match[1]))
            elif namespace not in conditions.NAMESPACES:
                yield _error(item.id, say("题目引用了不认识的 %(ref)s。", ref=match[1]))
            if match[2] is None:
                yield Problem("warning", item.id, say("%(ref)s 没有备用文字，取不到值时会留空。", ref=match[1]))


def _jumps(survey: SurveyDefinition) -> Iterator[Problem]:
    """Jumps lead forwards, so that every path ends."""
    places = {block.id: at for at, block in enumerate(survey.blocks)}
    for at, block in enumerate(survey.blocks):
        for jump in block.next:
            if jump.to not in places and jump.to not in survey.ending:
                yield _error(block.id, say("跳转的目标 %(to)s 不存在。", to=jump.to))
            elif places.get(jump.to, at + 1) <= at:
                yield _error(block.id, say("只能往后跳：%(to)s 在前面，会形成循环。", to=jump.to))


def _unreachable(survey: SurveyDefinition) -> Iterator[Problem]:
    reached = _reached(survey)
    for block in survey.blocks:
        if block.id not in reached:
            yield _error(block.id, say("没有任何路径能到达这一页。"))
        elif not may_hold(survey, block.show_if):
            yield _error(block.id, say("这一页的显示条件永远不会成立。"))
        for item in block.items:
            if not may_hold(survey, item.show_if):
                yield _error(item.id, say("这道题的显示条件永远不会成立。"))


def _reached(survey: SurveyDefinition) -> set[str]:
    """Blocks that some path reaches; a jump without a condition in a block that always shows stops the next ones."""
    places = {block.id: at for at, block in enumerate(survey.blocks)}
    reached, waiting = set[str](), [0]
    while waiting:
        at = waiting.pop()
        if at >= len(survey.blocks) or survey.blocks[at].id in reached:
            continue
        block = survey.blocks[at]
        reached.add(block.id)
        waiting += [places[jump.to] for jump in block.next if places.get(jump.to, -1) > at]
        if block.show_if is not None or all(jump.when is not None for jump in block.next):
            waiting.append(at + 1)
    return reached


def may_hold(survey: SurveyDefinition, condition: conditions.Condition) -> bool:
    """Whether some answers and facts make the condition true, tried over all answers of the items it looks at."""
    refs = list(dict.fromkeys(leaf["ref"] for leaf in conditions.leaves(condition)))
    constants = [leaf.get("value") for leaf in conditions.leaves(condition)]
    domains = [_domain(survey, ref, constants) for ref in refs]
    size = 1
    for domain in domains:
        size *= len(domain)
    if size > COMBINATIONS:
        return True
    return any(
        conditions.holds(condition, _facts(dict(zip(refs, values, strict=True)))) for values in product(*domains)
    )


def _facts(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    facts: dict[str, dict[str, Any]] = {}
    for ref, value in values.items():
        namespace, _, name = ref.partition(".")
        facts.setdefault(namespace, {})[name] = value
    return facts


def _domain(survey: SurveyDefinition, ref: str, constants: Sequence[Any]) -> list[Any]:
    """Values worth trying for a reference: every answer of a scale or choice, else what the condition speaks of."""
    name = ref.partition(".")[2]
    item = survey.item.get(name.partition(".")[0]) if ref.startswith("a.") else None
    if item is None:
        return [None, *_spoken_of(constants)]
    ends, names = scale(item), [option.id for option in options(item)]
    if ends:
        return [None, *range(ends[0], ends[1] + 1)]
    if item.type in ("multi", "rank"):
        return [None, *([one] for one in names), *([one, two] for one in names for two in names if one < two), names]
    return [None, *names] if names else [None, True, *_spoken_of(constants)]


def _spoken_of(constants: Sequence[Any]) -> list[Any]:
    single = [one for constant in constants for one in (constant if isinstance(constant, list) else [constant])]
    numbers = [one for one in single if isinstance(one, int | float) and not isinstance(one, bool)]
    return [*single, *(one + 1 for one in numbers), *(one - 1 for one in numbers), "…"]


def _languages(survey: SurveyDefinition) -> Iterator[Problem]:
    wanted = set(survey.title)
    if survey.default_lang not in wanted:
        yield _error("title", say("问卷标题缺少默认语言 %(lang)s。", lang=survey.default_lang))
    for where, text in _texts(survey, "survey"):
        lacking = sorted(lang for lang in wanted if not text.get(lang, "").strip())
        if lacking:
            yield _error(where, say("缺少 %(langs)s 的文字。", langs="、".join(lacking)))


def _texts(part: Part, where: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Every language map in a part and the parts within it."""
    where = getattr(part, "id", where)
    for name, value in part:
        if isinstance(value, Part):
            yield from _texts(value, where)
        elif isinstance(value, tuple):
            for one in value:
                if isinstance(one, Part):
                    yield from _texts(one, where)
        elif (
            isinstance(value, Mapping)
            and name in ("title", "text", "help", "intro", "placeholder")
            or (name.endswith("_label") and isinstance(value, Mapping))
        ):
            yield where, value


def _items(survey: SurveyDefinition) -> Iterator[Problem]:
    for item in survey.items:
        least, most = getattr(item, "min", None), getattr(item, "max", None)
        count = len(options(item))
        if item.type == "multi" and least and (least > count or (most and least > most)):
            yield _error(item.id, say("最少选择数比选项数或最多选择数还大。"))
        if item.type in ("single", "multi", "dropdown", "rank") and count < 2:
            yield Problem("warning", item.id, say("只有一个选项。"))
    if all(item.type == "statement" for item in survey.items):
        yield _error("blocks", say("问卷里没有可以回答的题目。"))


def _endings(survey: SurveyDefinition) -> Iterator[Problem]:
    if all(ending.kind != "complete" for ending in survey.endings):
        yield _error("endings", say("至少要有一个“完成”的结束页。"))
    for quota in survey.quotas:
        if quota.then not in survey.ending:
            yield _error(quota.id, say("配额满后的去处 %(to)s 不是结束页。", to=quota.then))


def _reused(survey: SurveyDefinition, earlier: Sequence[SurveyDefinition]) -> Iterator[Problem]:
    """An item's id means one question for ever, or old and new answers would be added up."""
    for version in earlier:
        for item in survey.items:
            before = version.item.get(item.id)
            if before is not None and before.type != item.type:
                yield _error(item.id, say("以前的版本用这个编号问过另一种题，请换一个编号。"))
