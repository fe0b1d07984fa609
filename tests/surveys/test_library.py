"""Every survey that comes with the house can be published as it is."""

import pytest

from surveys import checks, library
from surveys.definition import parse, sha256, written


def test_there_are_enough_templates_and_the_built_in_ones() -> None:
    assert len(library.templates()) >= 3 + 6
    assert set(library.BUILT_IN) <= set(library.templates())


@pytest.mark.parametrize("code", sorted(library.templates()))
def test_a_template_has_no_problem(code: str) -> None:
    survey = parse(library.templates()[code].definition)
    assert checks.problems(survey) == []
    assert set(survey.languages) == {"zh-CN", "en"}


@pytest.mark.parametrize("code", sorted(library.templates()))
def test_freezing_then_parsing_gives_the_same_survey(code: str) -> None:
    survey = parse(library.templates()[code].definition)
    assert parse(written(survey)) == survey
    assert sha256(parse(written(survey))) == sha256(survey)
