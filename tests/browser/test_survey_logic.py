"""The widget's logic answers every frozen vector as the server does."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

VECTORS = Path(__file__).parent.parent / "data" / "survey_logic_vectors.json.gz"
LOGIC = Path(__file__).parent.parent.parent / "surveys" / "sdk" / "logic.js"

JUDGE = """
(vectors) => {
  const wrong = [], say = (value) => JSON.stringify(value, (_, v) =>
    v && typeof v === "object" && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort()) : v);
  vectors.conditions.forEach(([condition, facts, expected], at) => {
    if (hsLogic.holds(condition, facts) !== expected) wrong.push(["condition", at]);
  });
  vectors.walks.forEach(([survey, answers, facts, seed, expected], at) => {
    const path = hsLogic.walk(survey, answers, facts, seed), orders = {};
    survey.blocks.forEach((b) => b.items.forEach((i) => { orders[i.id] = hsLogic.orderedOptions(i, seed); }));
    if (say({ ...path, orders }) !== say(expected)) wrong.push(["walk", at, say({ ...path, orders }), say(expected)]);
  });
  vectors.pipes.forEach(([survey, wording, facts, lang, expected], at) => {
    const got = hsLogic.piped(survey, wording, facts, lang);
    if (got !== expected) wrong.push(["pipe", at, wording, got, expected]);
  });
  vectors.orders.forEach(([seed, name, expected], at) => {
    if (hsLogic.chance(seed, name) !== expected) wrong.push(["chance", at]);
  });
  return wrong;
}
"""


@pytest.mark.browser
def test_server_and_widget_agree_on_every_vector(page: Page) -> None:
    vectors: dict[str, Any] = json.loads(gzip.decompress(VECTORS.read_bytes()))
    page.add_script_tag(content=LOGIC.read_text("utf-8"))
    assert page.evaluate(JUDGE, vectors) == []
