from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import model as models
from analysis import pipeline, segment, sheet, training
from analysis.features import Index, grams
from analysis.keys import Keys


def test_saving_and_loading_gives_the_same_verdicts(tmp_path: Path) -> None:
    shipped = models.load()
    models.save(shipped, tmp_path / "copy.npz")
    copy = models.load(tmp_path / "copy.npz")
    for text in ("信号不错但是太贵", "怎么退订彩铃", "师傅很好"):
        assert pipeline.read(text, model=copy).document() == pipeline.read(text, model=shipped).document()


def test_a_file_of_another_tree_of_topics_is_refused(tmp_path: Path) -> None:
    models.save(models.load(), tmp_path / "old.npz")
    card = tmp_path / "old.json"
    card.write_text(card.read_text(encoding="utf-8").replace('"billing"', '"charges"'), encoding="utf-8")
    with pytest.raises(ValueError, match="another tree of topics"):
        models.read_file(tmp_path / "old.npz")


def found(numbers: dict[str, int], texts: list[str]) -> list[list[int]]:
    """The known features of each of several clean texts."""
    laid = sheet.laid(texts)
    batch = Index(numbers).find(laid, sheet.cut(laid))
    assert batch.counts.sum() == len(batch.distinct)
    return [batch.distinct[batch.owners == at].tolist() for at in range(len(texts))]


def numbered(texts: list[str]) -> dict[str, int]:
    """Every feature training sees in clean texts, numbered from 1."""
    return {gram: at for at, gram in enumerate(sorted(set().union(*(grams(t, segment.cut(t)) for t in texts))), 1)}


def test_the_index_finds_exactly_the_features_training_sees() -> None:
    text = "信号不错,但是太贵! 携号转网"
    assert found(numbered([text]), [text]) == [list(range(1, len(numbered([text])) + 1))]


def test_texts_found_together_have_the_features_they_have_alone() -> None:
    texts = ["信号不错", "", "太贵", "信号不错", "贵信", "\U0001f600太贵"]
    numbers = numbered(texts)
    assert found(numbers, texts) == [found(numbers, [text])[0] for text in texts]
    assert [len(one) for one in found(numbers, texts)] == [len(numbered([text])) for text in texts]


def test_no_texts_and_empty_texts_have_no_features() -> None:
    assert found({"好": 1}, []) == []
    assert found({"好": 1}, ["", ""]) == [[], []]


@given(st.dictionaries(st.integers(0, 2**42), st.integers(1, 10**6), max_size=400))
def test_keys_find_the_number_of_each_key_and_of_no_other(pairs: dict[int, int]) -> None:
    keys = Keys(pairs.items())
    asked = [*pairs, *(key ^ 1 for key in pairs), 5]
    assert keys[np.array(asked, dtype=np.int64)].tolist() == [pairs.get(key, 0) for key in asked]


def test_using_a_model_is_one_switch() -> None:
    shipped = models.load()
    try:
        models.use(shipped)
        assert models.load() is shipped
    finally:
        models.reset()


def test_a_corrected_sentence_is_read_right_after_training_on_the_correction(tmp_path: Path) -> None:
    text = "你们这套流程真是行云流水，我佩服得五体投地呀"
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [f"{text}\t-1\thotline\tcomplaint\t1"] * 2
    (folder / "corrections.tsv").write_text(
        "\n".join(["text\tsentiment\ttopic\tintent\turgency", *rows]) + "\n", encoding="utf-8"
    )
    card = training.train(folder, tmp_path, seed=7, on=date(2026, 11, 22))
    learnt = models.load(tmp_path / f"{card['version']}.npz")
    reading = pipeline.read(text, model=learnt)
    assert (reading.label, reading.topics[0].code, reading.intent) == ("negative", "hotline", "complaint")
    assert card["base"] == models.load().version
    assert card["gold"]["topic"]["macro_f1"] > 0.7


def test_training_twice_with_one_seed_gives_the_same_model(tmp_path: Path) -> None:
    first = training.train(None, tmp_path, seed=7, on=date(2026, 11, 22))
    again = training.train(None, tmp_path, seed=7, on=date(2026, 11, 22))
    assert first["version"] == again["version"]
    assert first["gold"] == again["gold"]


def test_the_sigmoid_is_safe_at_both_ends() -> None:
    assert models.sigmoid(1e9) == pytest.approx(1)
    assert models.sigmoid(-1e9) == pytest.approx(0)
