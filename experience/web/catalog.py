"""Bring the English catalog up to date: `make catalog`. Names of codes kept in lower rooms are added by hand here."""

import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from analysis.topics import TOPICS
from experience.customers.contact_policy import REASONS
from experience.voices.intake import PROVINCES, SOURCES

ROOT = Path(__file__).parents[2]
FILE = Path(__file__).parent / "translations" / "en" / "LC_MESSAGES" / "messages.po"
KEYWORDS = dict.fromkeys(("_", "gettext", "lazy_gettext", "_l", "say", "N_", "marked")) | {"ngettext": (1, 2)}
METHODS = [("**/templates/**.html", "jinja2"), ("**/templates/**.txt", "jinja2"), ("**.py", "python")]
_CHINESE = re.compile("[\u4e00-\u9fff]")


def wanted() -> set[str]:
    """Every Chinese sentence that a reader may meet."""
    found = {*TOPICS.values(), *PROVINCES.values(), *REASONS.values(), *(name for name, _ in SOURCES.values())}
    for package in ("experience", "surveys", "probes"):
        said = extract_from_dir(ROOT / package, METHODS, keywords=KEYWORDS)
        found |= {text for _, _, text, _, _ in said if isinstance(text, str)}
    return {text for text in found if _CHINESE.search(text)}


def kept() -> dict[str, str]:
    """The translations there are."""
    with FILE.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file, locale="en") if message.id}


def refresh() -> int:
    """Writes the catalog with what is wanted, keeping what is translated; returns how many lack English."""
    known, catalog = kept(), Catalog(locale="en", project="huisheng", fuzzy=False)
    texts = wanted()
    for text in sorted(texts):
        catalog.add(text, known.get(text, ""))
    with FILE.open("wb") as file:
        write_po(file, catalog, omit_header=True, sort_output=True, width=0)
    return sum(not known.get(text) for text in texts)


if __name__ == "__main__":
    print(f"{refresh()} 条还没有英文 · sentences lack English")  # noqa: T201
