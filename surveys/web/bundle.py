"""The widget's script as it is sent: logic, widget, words and styles in one piece, minified when the app starts."""

import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from experience.web.shrink import shrink

SDK = Path(__file__).parent.parent / "sdk"


@dataclass(frozen=True, slots=True)
class Script:
    """A script ready to send; `etag` changes with its content."""

    text: bytes
    gzipped: bytes
    etag: str


@cache
def words(lang: str) -> Mapping[str, Any]:
    """What the widget and the pages say around a survey's own words."""
    known: dict[str, Mapping[str, Any]] = json.loads(_read("words.json"))
    return known.get(lang, known["zh-CN"])


@cache
def widget() -> Script:
    """The survey widget, made once a process."""
    return script(minified=True)


def script(*, minified: bool) -> Script:
    """The survey widget, minified or readable."""
    words = json.dumps(json.loads(_read("words.json")), ensure_ascii=False, separators=(",", ":"))
    styles = json.dumps(re.sub(r"\s*\n\s*", "", _read("survey.css")), ensure_ascii=False)
    parts = _read("survey.js").replace('"__WORDS__"', words).replace('"__CSS__"', styles)
    whole = f"(function(){{\n{_read('logic.js')}\n{parts}\n}})();\n"
    text = (shrink(whole) if minified else whole).encode()
    return Script(text, gzip.compress(text, 9, mtime=0), hashlib.sha256(text).hexdigest()[:20])


def _read(name: str) -> str:
    return (SDK / name).read_text(encoding="utf-8")
