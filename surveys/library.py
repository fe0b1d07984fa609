"""Surveys that come with the house: three that it needs itself, and templates to start from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "templates_library"
#: Surveys that other parts of the house ask by name.
RECHECK, RECHARGE, NPS = "recheck", "recharge", "nps"
BUILT_IN = (RECHECK, RECHARGE, NPS)


@dataclass(frozen=True, slots=True)
class Template:
    """A survey ready to be taken: what it is for, and its definition."""

    code: str
    name: str
    about: str
    purpose: str
    definition: Mapping[str, Any]


@cache
def templates() -> Mapping[str, Template]:
    """All templates by code, the built-in ones first."""
    loaded = [Template(**json.loads(file.read_text("utf-8"))) for file in sorted(FOLDER.glob("*.json"))]
    return {one.code: one for one in sorted(loaded, key=lambda one: (one.code not in BUILT_IN, one.code))}
