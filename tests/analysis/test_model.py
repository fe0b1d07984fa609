from datetime import date
from pathlib import Path

import pytest

from analysis import model as models
from analysis import pipeline, training
from analysis.features import Index, grams


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


def test_the_index_finds_exactly_the_features_training_sees() -> None:
    text, words = "信号不错,但是太贵!", ["信号", "不错", ",", "但是", "太贵", "!"]
    features = sorted(grams(text, words))
    index = Index({gram: number for number, gram in enumerate(features, start=1)})
    assert index.find([text], [words]).distinct.tolist() == list(range(1, len(features) + 1))


def test_texts_found_together_have_the_features_they_have_alone() -> None:
    texts = [["信号", "不错"], [], ["太贵"], ["信号", "不错"]]
    joined = ["".join(words) for words in texts]
    numbers = {gram: at for at, gram in enumerate(sorted(set().union(*map(grams, joined, texts))), start=1)}
    batch = Index(numbers).find(joined, texts)
    for owner, (text, words) in enumerate(zip(joined, texts, strict=True)):
        assert batch.distinct[batch.owners == owner].tolist() == sorted(numbers[gram] for gram in grams(text, words))


def test_an_unknown_text_moves_nothing() -> None:
    found = Index({"好": 1}).find(["xyz", ""], [["xyz"], []])
    assert found.distinct.size == 0
    assert found.counts.tolist() == [0, 0]


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
