"""Conditions: a JSON tree, never a string. `sdk/logic.js` answers the same for every vector in tests/data.

A leaf is `{"ref", "op", "value"}`, a group `{"all": […]}`, `{"any": […]}` or `{"not": …}`; no condition at all holds.
"""

from collections.abc import Iterator, Mapping
from typing import Any

DEPTH = 20  # groups within groups; SURVEYS: depth ≤ 20
LEAVES = 200  # in one group: a widget on a phone evaluates it at each key press
GROUPS = ("all", "any")
NAMESPACES = ("a", "ctx", "tag", "probe", "var", "url")
UNARY = frozenset({"answered", "empty"})
NUMERIC = frozenset({"gt", "gte", "lt", "lte"})
MANY = frozenset({"in", "includesAny", "includesAll", "includesNone"})
OPERATORS = UNARY | NUMERIC | MANY | {"eq", "ne", "between", "contains"}

Condition = Mapping[str, Any] | None
Facts = Mapping[str, Mapping[str, Any]]  # namespace -> name -> value; `a` holds the active answers


def fault(condition: Any, depth: int = 1) -> str | None:
    """What is wrong with the shape of a condition, in Chinese; None when it is sound."""
    if condition is None:
        return None
    if not isinstance(condition, Mapping):
        return "条件应当是一个对象。"
    if depth > DEPTH:
        return f"条件最多嵌套 {DEPTH} 层。"
    keys = set(condition)
    if keys in ({"all"}, {"any"}):
        return _group_fault(next(iter(condition.values())), depth)
    if keys == {"not"}:
        return _group_fault([condition["not"]], depth)
    return _leaf_fault(condition)


def _group_fault(members: Any, depth: int) -> str | None:
    if not isinstance(members, list | tuple) or len(members) > LEAVES:
        return f"“all”和“any”的内容应当是列表，最多 {LEAVES} 项。"
    faults = ("条件组里有空项。" if member is None else fault(member, depth + 1) for member in members)
    return next((found for found in faults if found), None)


def _leaf_fault(leaf: Mapping[str, Any]) -> str | None:
    unknown = set(leaf) - {"ref", "op", "value"}
    if unknown:
        return f"条件里有不认识的字段：{'、'.join(sorted(map(str, unknown)))}。"
    ref, operator, value = leaf.get("ref"), leaf.get("op"), leaf.get("value")
    if not isinstance(ref, str) or ref.partition(".")[0] not in NAMESPACES or not ref.partition(".")[2]:
        return "条件的 ref 应当形如 a.q1、ctx.province、tag.staff、probe.seconds、var.x 或 url.x。"
    if not isinstance(operator, str) or operator not in OPERATORS:
        return f"不认识的运算符：{operator}。"
    return _value_fault(operator, value, "value" in leaf)


def _value_fault(operator: str, value: Any, is_given: bool) -> str | None:
    if operator in UNARY:
        return f"“{operator}”不带 value。" if is_given else None
    if operator in NUMERIC:
        return None if _is_number(value) else f"“{operator}”的 value 应当是数字。"
    if operator == "between":
        sound = isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))
        return None if sound else "“between”的 value 应当是 [下限, 上限]。"
    if operator in MANY:
        sound = isinstance(value, list) and all(map(_is_scalar, value))
        return None if sound else f"“{operator}”的 value 应当是列表。"
    return None if _is_scalar(value) else f"“{operator}”的 value 应当是文字、数字或真假。"


def leaves(condition: Condition) -> Iterator[Mapping[str, Any]]:
    """Every leaf of the tree, left to right."""
    if not isinstance(condition, Mapping):
        return
    for key in (*GROUPS, "not"):
        inner = condition.get(key)
        for member in inner if isinstance(inner, list | tuple) else [inner]:
            yield from leaves(member)
    if "ref" in condition:
        yield condition


def holds(condition: Condition, facts: Facts) -> bool:
    """Whether a sound condition holds of the facts; what is not known is null, and null is never greater or equal."""
    if condition is None:
        return True
    if "all" in condition:
        return all(holds(member, facts) for member in condition["all"])
    if "any" in condition:
        return any(holds(member, facts) for member in condition["any"])
    if "not" in condition:
        return not holds(condition["not"], facts)
    return _compare(condition["op"], resolve(condition["ref"], facts), condition.get("value"))


def resolve(ref: str, facts: Facts) -> Any:
    """The value a reference names, or None. `a.q1.row` is one row of a matrix."""
    namespace, _, name = ref.partition(".")
    values = facts.get(namespace, {})
    if name in values:
        return values[name]
    outer, _, inner = name.partition(".")
    value = values.get(outer)
    return value.get(inner) if isinstance(value, Mapping) else None


def is_empty(value: Any) -> bool:
    """Whether a value says nothing: null, empty text, empty list, empty object."""
    return value is None or value in ("", [], {}, ())


def same(left: Any, right: Any) -> bool:
    """Equality as JSON means it: true is not 1, "1" is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if _is_number(left) and _is_number(right):
        return bool(left == right)
    return isinstance(left, str) and isinstance(right, str) and left == right


def _compare(operator: str, value: Any, wanted: Any) -> bool:
    if operator in UNARY:
        return is_empty(value) == (operator == "empty")
    if operator in ("eq", "ne"):
        return same(value, wanted) == (operator == "eq")
    if operator in NUMERIC or operator == "between":
        return _is_number(value) and _ordered(operator, value, wanted)
    if operator == "in":
        return any(same(value, one) for one in wanted)
    if operator == "contains" and isinstance(value, str):
        return isinstance(wanted, str) and wanted in value
    return _includes(operator, value if isinstance(value, list | tuple) else [value], wanted)


def _ordered(operator: str, value: float, wanted: Any) -> bool:
    if operator == "gt":
        return bool(value > wanted)
    if operator == "gte":
        return bool(value >= wanted)
    if operator == "lt":
        return bool(value < wanted)
    if operator == "lte":
        return bool(value <= wanted)
    return bool(wanted[0] <= value <= wanted[1])


def _includes(operator: str, chosen: list[Any] | tuple[Any, ...], wanted: Any) -> bool:
    if operator == "contains":
        return any(same(one, wanted) for one in chosen)
    found = [any(same(one, each) for one in chosen) for each in wanted]
    if operator == "includesAny":
        return any(found)
    return all(found) if operator == "includesAll" else not any(found)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | bool) or _is_number(value)
