"""A model out of texts: the same file in every process, and no surer than held-out voices allow."""

import gzip
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import features, labelled, normalise, segment
from analysis.corpus import LEAST_TEXTS, corpus, pull
from analysis.labelled import Labelled
from analysis.model import Calibration, softmax
from analysis.solver import fitted
from analysis.tempering import judged

TRAIN = """
import sys
from datetime import date
from pathlib import Path
from analysis import labelled, training
labelled.OWN = Path(sys.argv[1], "own.tsv")
training.train(Path(sys.argv[1]), Path(sys.argv[2]), seed=7, on=date(2026, 11, 22))
"""
ROOMS, GOOD, BAD = ("房间", "早餐", "前台", "位置"), ("很好", "不错，满意"), ("太差了", "又脏又吵")


def files_of(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def test_two_processes_make_the_same_files_of_the_same_texts(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    said = [
        (f"{room}{word}，{room}{at}", int(word in GOOD)) for room in ROOMS for word in GOOD + BAD for at in range(8)
    ]
    lines = (json.dumps({"text": text, "label": label}) for text, label in said)
    (data / "hotel.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    kept = labelled.OWN.read_text(encoding="utf-8").splitlines()
    (data / "own.tsv").write_text("\n".join([kept[0], *kept[1::40]]) + "\n", encoding="utf-8")
    made = []
    for number, hashing in enumerate(("0", "1")):
        out = tmp_path / str(number)
        code = [sys.executable, "-c", TRAIN, str(data), str(out)]
        subprocess.run(code, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": hashing})
        made.append(files_of(out))
    assert len(made[0]) == 3
    assert made[0] == made[1]


def test_a_corpus_holds_the_common_features_inference_sees() -> None:
    rows = [
        Labelled(text, "x", 1) for text in ("信号不错，但是太贵！", "信号不错", "信号不錯，<b>太贵</b>", "\U0001f600")
    ]
    seen = corpus(rows)
    clean = [normalise.clean(row.text).text for row in rows]
    grams = [features.grams(text, segment.cut(text)) for text in clean]
    assert list(seen.grams) == sorted(g for g in set().union(*grams) if sum(g in one for one in grams) >= LEAST_TEXTS)
    held = [{seen.grams[at] for at in seen.present[row].indices} for row in range(len(rows))]
    assert held == [one & set(seen.grams) for one in grams]


def test_pruning_keeps_the_heaviest_features_and_the_verdicts() -> None:
    rows = [Labelled(f"{room}{word}", "x", 1 if word in GOOD else -1) for room in ROOMS for word in GOOD + BAD] * 3
    seen = corpus(rows)
    good = np.array([row.sentiment == 1 for row in rows])
    found = pull(seen.present, good, np.ones(len(rows), dtype=np.float32), most=24)
    assert len(found.columns) == 24 < len(seen.grams)
    assert ((found.logits(seen.present) > 0) == good).all()


def test_a_regression_that_does_not_converge_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn import linear_model  # noqa: PLC0415 -- slow to load

    whole = linear_model.LogisticRegression
    monkeypatch.setattr(linear_model, "LogisticRegression", lambda **given: whole(**{**given, "max_iter": 1}))
    with pytest.raises(RuntimeError, match="did not converge"):
        fitted(np.arange(40.0).reshape(-1, 2), np.arange(20) % 3, 10.0)


@given(
    st.lists(st.lists(st.floats(-9, 9), min_size=4, max_size=4), min_size=1, max_size=5),
    st.floats(0.01, 1),
    st.floats(0, 3),
)
def test_believed_shares_are_shares_with_the_same_first(scores: list[list[float]], scale: float, shift: float) -> None:
    shares = softmax(np.array(scores))
    told = Calibration(scale, shift).believed(shares)
    assert told.sum(axis=1) == pytest.approx(np.ones(len(shares)), abs=1e-5)
    first = shares.argmax(axis=1)
    assert (told[np.arange(len(told)), first] >= told.max(axis=1) - 1e-9).all()


def test_no_calibration_believes_what_is_said() -> None:
    shares = softmax(np.array([[1.0, 2.0, 0.5], [0.0, 0.0, 0.1]]))
    assert Calibration().believed(shares) == pytest.approx(shares)


def test_heads_that_boast_are_tempered() -> None:
    truth = np.random.default_rng(7).integers(0, 5, 600)
    names = ("billing", "plan", "mobile_network", "broadband", "data")
    rows = [Labelled("", "x", 0, names[at], "inquiry") for at in truth.tolist()]
    said = np.where(np.random.default_rng(8).random(600) < 0.6, truth, (truth + 1) % 5)
    topic = np.full((600, 16), -20.0)
    topic[:, :5] = 0
    topic[np.arange(600), said] = 9  # all but certain, and right in 60 %
    sure = judged(rows, topic, np.zeros((600, 3, 5)))
    told = sure.topic.believed(softmax(sure.factors["topic"] * topic)).max(axis=1).mean()
    assert sure.factors["topic"] == 0.5
    assert 0.5 < told < 0.98
