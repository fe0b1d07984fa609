"""Every Chinese sentence a reader may meet has its English, with the same places to fill."""

import re

from experience.web import catalog
from tests.experience.web.staff import Office

_PLACES = re.compile(r"%\(\w+\)[sdf]|%%")


def test_every_sentence_has_its_english() -> None:
    known = catalog.kept()
    assert sorted(text for text in catalog.wanted() if not known.get(text)) == []


def test_a_translation_fills_the_same_places() -> None:
    wrong = {
        text: said for text, said in catalog.kept().items() if set(_PLACES.findall(text)) != set(_PLACES.findall(said))
    }
    assert wrong == {}


def test_a_page_asked_for_in_english_is_english(office: Office) -> None:
    page = office.staff("lin").see("/orders?lang=en")
    assert 'lang="en"' in page
    assert "On-time" in page or "Orders" in page
