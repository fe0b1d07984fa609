"""Which units an issue should go to, and why."""

from experience.reports.suggestions import Candidate, Grounds, suggest

UNITS = (
    Candidate("guangdong", "广东公司", "province", "guangdong"),
    Candidate("hunan", "湖南公司", "province", "hunan"),
    Candidate("migu", "咪咕基地", "base", product_line="video"),
)


def grounds(**known: object) -> Grounds:
    return Grounds(**{"province": "", "product_line": "", "voices": {}, "solvers": {}, **known})  # type: ignore[arg-type]


def test_the_province_where_it_happened_is_ticked() -> None:
    found = suggest(grounds(province="guangdong", voices={"guangdong": 3, "hunan": 7}), UNITS)
    assert [(s.code, s.is_chosen) for s in found] == [("guangdong", True), ("hunan", False)]


def test_without_a_province_those_who_said_most_are_ticked_with_their_share() -> None:
    found = suggest(grounds(voices={"guangdong": 6, "hunan": 3, "beijing": 1}), UNITS)
    assert [(s.code, s.reason) for s in found] == [
        ("guangdong", "60% 的原声来自本省（6/10）"),
        ("hunan", "30% 的原声来自本省（3/10）"),
    ]


def test_a_province_that_hardly_spoke_is_not_suggested() -> None:
    assert [s.code for s in suggest(grounds(voices={"guangdong": 95, "hunan": 5}), UNITS)] == ["guangdong"]


def test_the_base_that_owns_the_touchpoint_comes_first() -> None:
    found = suggest(grounds(product_line="video", voices={"guangdong": 1}), UNITS)
    assert found[0].code == "migu"


def test_who_solved_the_like_before_is_offered_but_not_ticked() -> None:
    found = suggest(grounds(solvers={"hunan": "W20261101-0001"}), UNITS)
    assert [(s.code, s.is_chosen) for s in found] == [("hunan", False)]
    assert "W20261101-0001" in found[0].reason


def test_an_issue_nothing_is_known_of_gets_no_suggestion() -> None:
    assert suggest(grounds(), UNITS) == []
