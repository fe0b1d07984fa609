# ruff: noqa: E501 - rows of values read best in one line
"""Makes tests/data/survey_logic_vectors.json.gz: cases on which server and widget must agree.

Run by hand (`python -m tests.surveys.make_vectors`) when the logic is meant to change; the file is frozen otherwise.
The expected answers are Python's; test_logic.py judges Python itself by examples written by hand.
"""

import gzip
import json
import random
from pathlib import Path
from typing import Any

from surveys import conditions, logic
from surveys.definition import parse
from surveys.logic import piped, walk

FILE = Path(__file__).parent.parent / "data" / "survey_logic_vectors.json.gz"
SEED = 20261122
CONDITIONS, WALKS, PIPES, ORDERS = 1_600, 700, 300, 60

VALUES: list[Any] = [
    None, 0, 1, 2, 3, 4, 5, 10, -1, 2.5, 0.0, 1e9, True, False, "", "0", "1", "true", "o_a", "o_b", "广东", "网络慢", "慢",
    "A\u030a", "😤 断网", [], ["o_a"], ["o_b", "o_a"], ["o_a", "o_b", "o_c"], [1, 2], [True], [""], {}, {"r1": "o_a"},
    {"r1": "o_b", "r2": "o_a"},
]  # fmt: skip
SCALARS = [value for value in VALUES if isinstance(value, str | int | float)]
LISTS = [value for value in VALUES if isinstance(value, list)]
REFS = [
    "a.q1", "a.q2", "a.q3", "a.q4.r1", "a.q4.r2", "a.q4.r9", "a.gone", "ctx.province", "ctx.page", "tag.vip", "probe.seconds",
    "probe.code", "var.x", "url.from", "url.a.b",
]  # fmt: skip


def leaf(chance: random.Random) -> dict[str, Any]:
    """A sound leaf of any operator."""
    operator = chance.choice(sorted(conditions.OPERATORS))
    made: dict[str, Any] = {"ref": chance.choice(REFS), "op": operator}
    if operator in conditions.NUMERIC:
        made["value"] = chance.choice([0, 1, 2, 3, 4, 2.5, -1, 1e9])
    elif operator == "between":
        made["value"] = sorted(chance.sample([0, 1, 2, 2.5, 3, 4, 5, 10], 2))
    elif operator in conditions.MANY:
        made["value"] = chance.choice(LISTS)
    elif operator not in conditions.UNARY:
        made["value"] = chance.choice(SCALARS)
    return made


def condition(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    """A sound condition, mostly shallow, sometimes deep."""
    kind = chance.random()
    if depth > 5 or kind < 0.5:
        return leaf(chance)
    if kind < 0.6:
        return {"not": condition(chance, depth + 1)}
    members = [condition(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {chance.choice(["all", "any"]): members}


def facts(chance: random.Random) -> dict[str, dict[str, Any]]:
    """Facts of every namespace, some missing."""
    made: dict[str, dict[str, Any]] = {}
    for ref in REFS:
        namespace, _, name = ref.partition(".")
        if chance.random() < 0.75:
            made.setdefault(namespace, {})[name.partition(".")[0] if namespace == "a" else name] = chance.choice(VALUES)
    return made


def survey(chance: random.Random) -> dict[str, Any]:
    """A survey of three to five blocks with conditions, jumps, shuffling and piping."""
    number, blocks, before = 0, [], []
    count = chance.randint(3, 5)
    for at in range(count):
        items = []
        for _ in range(chance.randint(1, 3)):
            number += 1
            items.append(item(chance, number, before))
            before.append(items[-1])
        jumps = [
            {
                "if": about(chance, before),
                "to": chance.choice([*(f"b{n}" for n in range(at + 2, count + 1)), "end_ok", "end_out"]),
            }
            for _ in range(chance.choice([0, 0, 1, 2]))
        ]
        block: dict[str, Any] = {"id": f"b{at + 1}", "items": items, "next": jumps, "shuffle": chance.random() < 0.2}
        if before and chance.random() < 0.3:
            block["showIf"] = about(chance, before)
        blocks.append(block)
    return {
        "schema": "cx-survey/1",
        "title": {"zh-CN": "测", "en": "Test"},
        "blocks": blocks,
        "endings": [{"id": "end_ok", "kind": "complete"}, {"id": "end_out", "kind": "screenout"}],
    }


def item(chance: random.Random, number: int, before: list[dict[str, Any]]) -> dict[str, Any]:
    kind = chance.choice(["csat", "nps", "score10", "single", "multi", "text", "statement", "matrix", "rating"])
    made: dict[str, Any] = {
        "id": f"q{number}",
        "type": kind,
        "title": {"zh-CN": f"第 {number} 题", "en": f"Item {number}"},
    }
    if kind in ("single", "multi", "matrix"):
        made["options"] = [
            {"id": f"o_{letter}", "text": {"zh-CN": f"选项{letter}", "en": f"Option {letter}"}} for letter in "abcde"
        ]
    if kind in ("single", "multi") and chance.random() < 0.4:
        made["shuffle"] = {"keepLast": chance.randrange(3)}
    if kind == "matrix":
        made["rows"] = [{"id": f"r{n}", "text": {"zh-CN": f"行{n}", "en": f"Row {n}"}} for n in (1, 2)]
    if before and chance.random() < 0.5:
        made["showIf"] = about(chance, before)
    return made


def about(chance: random.Random, before: list[dict[str, Any]]) -> dict[str, Any]:
    """A condition on an earlier item or a fact."""
    one = chance.choice(before)
    ref = f"a.{one['id']}" + (".r1" if one["type"] == "matrix" else "")
    choices: list[dict[str, Any]] = [
        {"ref": ref, "op": chance.choice(["answered", "empty"])},
        {"ref": "ctx.province", "op": chance.choice(["eq", "ne"]), "value": "guangdong"},
        {"ref": "probe.seconds", "op": "gt", "value": chance.randint(1, 20)},
    ]
    if "options" in one:
        choices += [
            {"ref": ref, "op": chance.choice(["includesAny", "includesAll", "includesNone"]), "value": ["o_a", "o_b"]}
        ] * 3
    else:
        choices += [{"ref": ref, "op": chance.choice(["lte", "gte"]), "value": chance.randint(1, 6)}] * 3
    picked = chance.choice(choices)
    return {"not": picked} if chance.random() < 0.15 else picked


def answers(chance: random.Random, written: dict[str, Any]) -> dict[str, Any]:
    """Some answers to some items, hidden ones among them."""
    made: dict[str, Any] = {}
    for block in written["blocks"]:
        for one in block["items"]:
            if chance.random() < 0.75:
                made[one["id"]] = answer(chance, one)
    return made


def answer(chance: random.Random, one: dict[str, Any]) -> Any:
    names = [option["id"] for option in one.get("options", [])]
    if one["type"] == "multi":
        return chance.sample(names, chance.randrange(4))
    if one["type"] == "single":
        return chance.choice(names)
    if one["type"] == "matrix":
        return {row["id"]: chance.choice(names) for row in one["rows"] if chance.random() < 0.7}
    if one["type"] == "text":
        return chance.choice(["", "信号差", "扣款未到账 😤", "<b>x</b>"])
    return None if one["type"] == "statement" else chance.randint(1, 5)


WORDINGS = [
    "等待了 {{probe.seconds|较长时间}} 秒", "您选了{{a.q2|一些问题}}，", "{{ a.q1 }}分", "{{a.q3|无}}与{{ctx.province|本省}}", "没有", "{{bad}}",
    "{{a.q2|x|y}}", "{{var.x|}}!", "{{url.from|站外}} → {{a.q9|?}}", "{{tag.vip|普通}}客户", "{{a.q4.r1|未答}}",
]  # fmt: skip


def vectors() -> dict[str, Any]:
    """All cases with what must come out."""
    chance = random.Random(SEED)  # noqa: S311 - a fixed sequence is the point
    made: dict[str, Any] = {"conditions": [], "walks": [], "pipes": [], "orders": []}
    for _ in range(CONDITIONS):
        asked, known = condition(chance), facts(chance)
        assert conditions.fault(asked) is None, asked
        made["conditions"].append([asked, known, conditions.holds(asked, known)])
    for at in range(WALKS):
        if at % 10 == 0:
            written = survey(chance)
            parsed = parse(written)
        given, seed = answers(chance, written), f"s{chance.randrange(10**6)}"
        known = {
            "ctx": {"province": chance.choice(["guangdong", "sichuan"])},
            "probe": {"seconds": chance.randrange(30)},
        }
        path = walk(parsed, given, known, seed=seed)
        orders = {one.id: logic.ordered_options(one, seed) for one in parsed.items}
        expected = {"items": list(path.items), "ending": path.ending, "active": dict(path.active), "orders": orders}
        made["walks"].append([written, given, known, seed, expected])
    for _ in range(PIPES):
        written = survey(chance)
        wording, known, lang = chance.choice(WORDINGS), facts(chance), chance.choice(["zh-CN", "en"])
        made["pipes"].append([written, wording, known, lang, piped(parse(written), wording, known, lang)])
    for _ in range(ORDERS):
        seed, name = f"s{chance.randrange(10**9)}", chance.choice(["o_a", "o_slow", "q1", "题", "😤"])
        made["orders"].append([seed, name, logic.chance(seed, name)])
    return made


def main() -> None:
    """Writes the file."""
    text = json.dumps(vectors(), ensure_ascii=False, separators=(",", ":"))
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
