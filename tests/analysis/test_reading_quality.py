"""Reading quality may not fall: floors recorded from the shipped model on the frozen gold set (never trained on)."""

import hashlib
import json
import subprocess
import sys

import pytest

from analysis import evaluation, labelled, pipeline
from analysis import model as models
from analysis.evaluation import Report

#: macro-F1 of the shipped model when it was promoted, less half a point (2026-11-22).
FLOORS = {"label": 0.875, "topic": 0.75, "intent": 0.8}


@pytest.fixture(scope="module")
def report() -> Report:
    return evaluation.evaluate(models.load(), labelled.voices(labelled.GOLD))


@pytest.mark.parametrize("question", FLOORS)
def test_macro_f1_on_the_gold_set_keeps_its_floor(report: Report, question: str) -> None:
    found = getattr(report, question)
    assert found.macro_f1 >= FLOORS[question]


def test_polarity_on_the_gold_set_keeps_its_floor_and_is_calibrated(report: Report) -> None:
    assert report.binary["all"].accuracy >= 0.92
    assert report.calibration["all"].ece <= 0.08  # about 115 voices: chance alone gives .04


def test_no_gold_text_is_trained_on() -> None:
    gold = {row.text for row in labelled.voices(labelled.GOLD)}
    assert not gold & {row.text for row in labelled.folder(None).voices}
    assert len(gold) > 150


def test_every_topic_and_intent_occurs_in_the_products_own_voices() -> None:
    rows = labelled.voices(labelled.OWN)
    assert {row.topic for row in rows} == set(models.CODES)
    assert {row.intent for row in rows} == {"complaint", "suggestion", "inquiry", "praise", "other"}
    assert len(rows) > 1500


def test_the_shipped_file_is_the_one_its_card_describes() -> None:
    card = json.loads(models.SHIPPED.with_suffix(".json").read_text(encoding="utf-8"))
    assert card["sha256"] == hashlib.sha256(models.SHIPPED.read_bytes()).hexdigest()
    assert models.SHIPPED.stat().st_size <= 2_000_000
    assert {"version", "date", "seed", "data", "licence", "held_out_by_source", "gold"} <= set(card)


def test_telecom_speech_that_snownlp_gets_wrong_is_read_right() -> None:
    assert pipeline.read("请问营业厅几点关门").label == "neutral"
    assert pipeline.read("客服").label == "neutral"
    assert pipeline.read("不满意").label == "negative"
    assert pipeline.read("客服态度好，投诉处理得很快，点赞").label == "positive"


def test_reading_needs_neither_scikit_learn_nor_snownlp_nor_jieba() -> None:
    code = (
        "import sys; from analysis import pipeline; pipeline.read('信号不错但是太贵');"
        "print(sorted({'sklearn', 'scipy', 'snownlp', 'jieba', 'flask', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_gate_refuses_a_worse_model_and_lets_an_equal_one_pass(report: Report) -> None:
    assert evaluation.may_replace(report, report) == ()
    worse = evaluation.Quality(182, 0.5, 0.5)
    shrunk = Report(**{**{name: getattr(report, name) for name in Report.__slots__}, "topic": worse})
    assert "主题" in evaluation.may_replace(report, shrunk)[0]
