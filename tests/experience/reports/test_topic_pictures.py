"""Pictures of topics: names on the map can be read."""

from itertools import combinations
from typing import Any

from experience.reports.topic_pictures import _box, _centre, _named, _overlap


def _crowd() -> list[dict[str, Any]]:
    apart = ((0.044, 0.70, 64), (0.051, 0.68, 56), (0.05, 0.6, 56))
    heaped = tuple((0.0005 * n, 0.66, 30 - n) for n in range(6))
    places = (*apart, *heaped)
    return [{"name": f"主题{n}", "value": [x, y], "symbolSize": size} for n, (x, y, size) in enumerate(places)]


def test_names_in_a_crowd_never_lie_on_one_another_and_the_largest_keeps_its_own() -> None:
    named = _named(_crowd(), 0.129)
    assert named[0]["label"] == {"position": "top"}
    shown = [one for one in named if one["label"] != {"show": False}]
    assert 3 <= len(shown) < len(named)
    sides = {"top": (0, -1), "bottom": (0, 1), "right": (1, 0), "left": (-1, 0)}
    boxes = []
    for one in shown:
        (x, y), (right, down) = _centre(one, 0.129), sides[one["label"]["position"]]
        wide, high, far = 16.5, 7.7, one["symbolSize"] / 2 + 4
        boxes.append(_box((x + right * (far + wide), y + down * (far + high)), wide, high))
    assert not any(_overlap(one, other) for one, other in combinations(boxes, 2))
