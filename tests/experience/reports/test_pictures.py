"""Options of pictures: honest gaps, Beijing days, JSON only."""

import json
from datetime import UTC, date, datetime, timedelta

from experience.reports import pictures

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def test_an_hour_without_visits_is_a_gap_and_not_a_zero() -> None:
    option = pictures.success([(NOW, 0, 0), (NOW + timedelta(hours=1), 9, 10)], "成功率")
    line = next(s for s in option["series"] if s["type"] == "line")
    assert line["data"] == [["2026-11-23 10:00", None], ["2026-11-23 11:00", 0.9]]


def test_days_without_voices_are_drawn_as_nothing() -> None:
    option = pictures.days({date(2026, 11, 23): 3}, NOW, length=3)
    assert option is not None
    assert option["xAxis"]["data"] == ["11-21", "11-22", "11-23"]
    assert option["series"][0]["data"] == [0, 0, 3]


def test_nothing_measured_draws_nothing() -> None:
    assert pictures.days({}, NOW) is None
    assert pictures.effect([], NOW, ("成功率", "整改")) is None
    assert pictures.effect([{"at": NOW.isoformat(), "value": None}], NOW, ("成功率", "整改")) is None


def test_a_share_is_drawn_in_percent_and_a_score_is_not() -> None:
    share = pictures.effect([{"at": NOW.isoformat(), "value": 0.9}], NOW, ("成功率", "整改"))
    score = pictures.effect([{"at": NOW.isoformat(), "value": 4.2}], NOW, ("满意度", "整改"))
    assert share is not None
    assert score is not None
    assert share["yAxis"].get("percent") is True
    assert "percent" not in score["yAxis"]
    json.dumps([share, score])
