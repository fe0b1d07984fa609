"""The small picture of before and after stays in its frame."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from experience.reports.sketch import HEIGHT, WIDTH, sketch

START = datetime(2026, 11, 1, tzinfo=UTC)


@given(st.lists(st.none() | st.floats(-1e6, 1e6), max_size=40), st.integers(-5, 45))
def test_every_point_lies_in_the_frame(values: list[float | None], split: int) -> None:
    series = [{"at": (START + timedelta(days=i)).isoformat(), "value": value} for i, value in enumerate(values)]
    drawn = sketch(series, START + timedelta(days=split), (None, None))
    known = [value for value in values if value is not None]
    if len(known) < 2:
        assert drawn is None
        return
    assert drawn is not None
    points = [one for one in f"{drawn.before} {drawn.after}".replace("M", "").replace("L", "").split() if one != "h0"]
    assert len(points) == len(known)
    for point in points:
        x, y = map(float, point.split(","))
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT


def test_days_without_data_are_not_joined() -> None:
    series = [
        {"at": (START + timedelta(days=i)).isoformat(), "value": value} for i, value in enumerate((1, 2, None, 3))
    ]
    series.append({"at": (START + timedelta(days=8)).isoformat(), "value": 4})
    drawn = sketch(series, START + timedelta(days=20), (None, None))
    assert drawn is not None
    first, lone, last = drawn.before.split("M")[1:]
    assert first.count("L") == 1
    assert lone.strip().endswith("h0")
    assert last.strip().endswith("h0")
    assert drawn.after == ""
