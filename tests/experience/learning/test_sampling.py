"""The queue's shares, its margins, and the choice within each part."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import pipeline
from experience.learning.lessons import is_held
from experience.learning.sampling import DIVERSE, MARGIN, RANDOM, SHARES, Seen, diverse, draws, folded, margin, quotas
from experience.learning.weak import side

MARKS = st.integers(1, 2**63 - 1)


@given(st.integers(0, 400))
def test_an_empty_queue_is_filled_in_its_shares(wanted: int) -> None:
    given_out = quotas(wanted)
    assert sum(given_out.values()) == wanted
    assert all(abs(given_out[origin] - share * wanted / 10) <= 1 for origin, share in SHARES.items())


@given(st.integers(0, 200), st.dictionaries(st.sampled_from(sorted(SHARES)), st.integers(0, 100)))
def test_what_is_held_counts_and_every_place_is_given(wanted: int, held: dict[str, int]) -> None:
    given_out = quotas(wanted, held)
    assert sum(given_out.values()) == wanted
    total = wanted + sum(held.values())
    for origin, share in SHARES.items():
        if given_out[origin]:
            assert held.get(origin, 0) + given_out[origin] <= share * total / 10 + 1


def test_the_shares_come_out_over_many_refills() -> None:
    chance, held = random.Random(7), dict.fromkeys(SHARES, 0)
    for _ in range(200):
        for origin, n in quotas(200 - sum(held.values()), held).items():
            held[origin] += n
        for origin in SHARES:
            held[origin] -= chance.randint(0, held[origin])
    for origin, n in quotas(200 - sum(held.values()), held).items():
        held[origin] += n
    assert {origin: round(n / 200, 2) for origin, n in held.items()} == pytest.approx(
        {origin: share / 10 for origin, share in SHARES.items()}, abs=0.02
    )


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_the_margin_is_got_back_out_of_what_a_reading_keeps(positive: float, neutral: float) -> None:
    labels = {"negative": (1 - neutral) * (1 - positive), "neutral": neutral, "positive": (1 - neutral) * positive}
    best, second = sorted(labels.values(), reverse=True)[:2]
    label = max(labels, key=labels.__getitem__)
    assert margin(label, labels[label], 2 * positive - 1) == pytest.approx(best - second, abs=1e-6)


def test_a_text_the_model_wavers_on_has_a_smaller_margin() -> None:
    sure, unsure = (pipeline.read(text) for text in ("客服态度恶劣，气死了，要投诉", "没有任何问题"))
    margins = [margin(one.label, one.confidence, one.sentiment) for one in (sure, unsure)]
    assert margins[0] > margins[1]


@given(st.lists(MARKS, max_size=20), st.lists(MARKS, max_size=5), st.integers(0, 10))
def test_what_is_taken_is_neither_known_nor_a_repeat(marks: list[int], known: list[int], most: int) -> None:
    taken = folded([Seen(place, mark) for place, mark in enumerate(marks)], known, most)
    assert len(taken) <= most
    for place, one in enumerate(taken):
        others = [*known, *(two.fingerprint for two in taken[:place])]
        assert all((one.fingerprint ^ other).bit_count() > 3 for other in others)


def test_the_diverse_part_goes_where_nobody_has_been() -> None:
    near, far = Seen(1, 0b1111, "app"), Seen(2, (1 << 62) - 1, "app")
    assert diverse([near, far], [0b0111_0111], 1) == [far]
    assert diverse([near], [0b1111], 1) == []


@given(st.integers(1, 50), st.integers(1, 60))
def test_draws_are_different_and_from_the_whole(last: int, most: int) -> None:
    drawn = draws(random.Random(1), 1, last, most)
    assert len(drawn) == len(set(drawn)) == min(most, last)
    assert set(drawn) <= set(range(1, last + 1))


def test_the_draw_favours_nobody() -> None:
    chance, counts = random.Random(3), dict.fromkeys(range(1, 21), 0)
    for _ in range(4_000):
        for id in draws(chance, 1, 20, 2):
            counts[id] += 1
    assert all(abs(n - 400) < 80 for n in counts.values())  # four standard deviations


def test_one_verdict_in_five_is_held_out_and_always_the_same() -> None:
    held = [id for id in range(1, 10_001) if is_held(id)]
    assert 1_800 < len(held) < 2_200
    assert all(is_held(id) for id in held)


@pytest.mark.parametrize(
    ("metric", "score", "expected"),
    [("nps", 0, -1), ("nps", 5, 0), ("nps", 9, 1), ("csat", 1, -1), ("csat", 2, 0), ("csat", 5, 1), ("ces", 1, 0)],
)
def test_only_the_sure_ends_of_a_score_have_a_side(metric: str, score: float, expected: int) -> None:
    assert side(metric, score) == expected


def test_the_parts_of_the_queue_are_those_of_the_design() -> None:
    assert (SHARES[MARGIN], SHARES[DIVERSE], SHARES[RANDOM], sum(SHARES.values())) == (6, 1, 1, 10)
