"""One form of text for every reader below: bounded, simplified, without markup or personal data."""

import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis import lexicons
from analysis.privacy import mask, spots

__all__ = ["Clean", "clean", "fingerprint", "mask"]

#: What is read of a long text: its beginning and its end, in characters of the original and of the clean text.
RAW_HEAD, RAW_TAIL = 4000, 2000
HEAD, TAIL = 1600, 600


@dataclass(frozen=True, slots=True)
class Clean:
    """A clean text that remembers where each character came from: `starts[i]` is the place in the original."""

    text: str
    starts: Sequence[int]
    stop: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The half-open span of the original behind a span of the clean text."""
        if isinstance(self.starts, range) and len(self.starts) == self.stop:  # each stands where it stood
            return start, end
        if start >= end:
            return (self.starts[start] if start < len(self.starts) else self.stop,) * 2
        last = self.starts[end - 1]
        return self.starts[start], max(last + 1, self.starts[end] if end < len(self.starts) else self.stop)


def _characters() -> dict[str, str]:
    old, new = lexicons.FOLDER.joinpath("simplified.txt").read_text(encoding="utf-8").split("\n")[:2]
    return {a: b for a, b in zip(old, new, strict=True) if a != "係"}  # Cantonese 是, or 系: see variants.tsv


_SIMPLIFIED = _characters()
_EMOJI = lexicons.table("emoji.tsv")
_LIKE = {"\r": "\n", "\t": " ", "\x0b": "\n", "\x0c": "\n", "。": "。", "、": "、"}


def _plain(character: str) -> str:
    """One character in its plain form: NFKC, lower case, simplified; controls, surrogates and marks are dropped."""
    if character in _EMOJI:
        return _EMOJI[character]
    if character in _LIKE:
        return _LIKE[character]
    plain = "".join(_SIMPLIFIED.get(c, c) for c in unicodedata.normalize("NFKC", character).lower() if _is_kept(c))
    return plain if plain == character else "".join(_EMOJI.get(c, c) for c in plain)


def _is_kept(character: str) -> bool:
    return character in "\n " or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me", "Sk")


class _Plain(dict[int, str]):
    """What each character becomes, worked out when first met; `resizing` holds those that do not stay one character."""

    def __init__(self) -> None:
        super().__init__()
        self.resizing: set[str] = set()

    def __missing__(self, code: int) -> str:
        plain = _plain(chr(code))
        if len(plain) != 1:
            self.resizing.add(chr(code))
        self[code] = plain
        return plain


_PLAIN = _Plain()


def plain(code: int) -> str:
    """What the character of a code point becomes, whatever stands around it."""
    return _PLAIN[code]


_TAG = re.compile(
    r"<(?:script|style)\b[^<>]{0,200}>.{0,2000}?</(?:script|style)\s{0,5}>|<!--.{0,2000}?-->|</?[a-zA-Z][^<>]{0,500}>",
    re.DOTALL | re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
_LINK = re.compile(r"(?:https?://|www\.)[a-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]{1,500}")
_FORWARD = re.compile(r"(?://|回复)@[\w·\-]{1,30}:?|@[\w·\-]{1,30}:")
#: A call to a regulator or to the press is part of what is said, and stays.
_AT = re.compile(
    r"@(?!工信|通管|通信管理|12300|12315|12345|黑猫|市监|市场监管|消协|中消协|人民|央视|新华|焦点|网信|中纪委|国资委)[\w·\-]{1,30}"
)
_PINYIN = re.compile(r"(?<=[一-鿿])\([a-zü]{0,5}[āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ][a-zü]{0,4}\)")
#: Without one of these there is no personal data that `privacy` knows of.
_FIGURE = re.compile(r"[0-9@]|[一幺][三四五六七八九]")
_RUN = re.compile(r"([^\s0-9])\1\1\1+")
_BLANK = re.compile(r"\s*\n\s*|[^\S\n]{2,}")
VARIANTS = lexicons.table("variants.tsv")
_VARIANT = re.compile("|".join(map(re.escape, sorted(VARIANTS, key=len, reverse=True))))
_VARIANT_MARKS = frozenset("".join(VARIANTS)) & frozenset(
    "唔嘅咗喺係佢哋冇乜嘢咁呢嗰啲喇㗎嚟俾畀搵睇攞莫啥咋恁俺侬巴数网讯短屏萤软硬程影视账帐储门手行吃电品云随伺列登设预解边几点而寻琴听成抵幸好返舖铺客今月宽上简资"
)


def _replace(clean: Clean, pattern: re.Pattern[str], new: Callable[[re.Match[str]], str]) -> Clean:
    """The clean text with each match replaced; a replacement's characters point at the match's beginning."""
    pieces: list[str] = []
    starts: list[int] = []
    at = 0
    for found in pattern.finditer(clean.text):
        start, end = found.span()
        shown = new(found)
        pieces += (clean.text[at:start], shown)
        starts.extend(clean.starts[at:start])
        starts.extend(_shared(clean.starts, start, end, len(shown)))
        at = end
    if not pieces:
        return clean
    starts.extend(clean.starts[at:])
    return Clean("".join(pieces) + clean.text[at:], starts, clean.stop)


def _shared(starts: Sequence[int], start: int, end: int, length: int) -> list[int]:
    """Places for a replacement of `length` characters: one for one as far as the old characters reach."""
    return [starts[min(start + step, end - 1)] for step in range(length)]


def _bounded(text: str, head: int, tail: int) -> tuple[str, Sequence[int]]:
    if len(text) <= head + tail:
        return text, range(len(text))
    places = [*range(head), *range(len(text) - tail, len(text))]
    return text[:head] + text[len(text) - tail :], places


def _translated(clean: Clean) -> Clean:
    text = clean.text.translate(_PLAIN)
    if _PLAIN.resizing.isdisjoint(clean.text):
        return Clean(text, clean.starts, clean.stop)
    starts = [place for c, place in zip(clean.text, clean.starts, strict=True) for _ in _PLAIN[ord(c)]]
    return Clean(text, starts, clean.stop)


def _without_personal_data(clean: Clean) -> Clean:
    found = list(spots(clean.text)) if _FIGURE.search(clean.text) else []
    if not found:
        return clean
    pieces: list[str] = []
    starts: list[int] = []
    at = 0
    for start, end, shown in found:
        pieces += (clean.text[at:start], shown)
        starts.extend(clean.starts[at:start])
        starts.extend(_shared(clean.starts, start, end, len(shown)))
        at = end
    starts.extend(clean.starts[at:])
    return Clean("".join(pieces) + clean.text[at:], starts, clean.stop)


def _stripped(clean: Clean) -> Clean:
    left = len(clean.text) - len(clean.text.lstrip())
    right = len(clean.text.rstrip())
    if left == 0 and right == len(clean.text):
        return clean
    return Clean(clean.text[left:right], clean.starts[left:right], clean.stop)


def clean(text: str) -> Clean:
    """The text as every reader sees it, with the way back to the original for each character.

    Long texts are read at both ends only (RAW_HEAD + RAW_TAIL characters). Any str is welcome.
    Cleaning twice is cleaning once.
    """
    bounded, places = _bounded(text, RAW_HEAD, RAW_TAIL)
    now = Clean(bounded, places, len(text))
    if "&" in bounded:
        now = _replace(now, _ENTITY, lambda found: html.unescape(found.group()))
    if "<" in now.text:
        now = _replace(now, _TAG, lambda _: " ")
    now = _translated(now)
    for step in _STEPS:
        now = step(now)
    shorter, kept = _bounded(now.text, HEAD, TAIL)
    return now if shorter == now.text else Clean(shorter, [now.starts[i] for i in kept], now.stop)


def _links_out(now: Clean) -> Clean:
    if "://" in now.text or "www." in now.text:
        now = _replace(now, _LINK, lambda _: " ")
    if "@" in now.text:
        now = _without_personal_data(now)
        now = _replace(_replace(now, _FORWARD, lambda _: " "), _AT, lambda _: " ")
    return now


def _artefacts_out(now: Clean) -> Clean:
    return _replace(now, _PINYIN, lambda _: "") if "(" in now.text else now


def _variants_out(now: Clean) -> Clean:
    if _VARIANT_MARKS.isdisjoint(now.text):
        return now
    return _replace(now, _VARIANT, lambda found: VARIANTS[found.group()])


def _runs_squeezed(now: Clean) -> Clean:
    now = _replace(now, _RUN, lambda found: found.group(1) * 3)
    if "  " in now.text or "\n" in now.text:
        now = _replace(now, _BLANK, lambda found: "\n" if "\n" in found.group() else " ")
    return _stripped(now)


_STEPS = (_links_out, _artefacts_out, _variants_out, _without_personal_data, _runs_squeezed)

_SPARSE = np.uint64(0x9E3779B97F4A7C15)
_BITS = np.arange(63, dtype=np.uint64)
_LETTERS = re.compile(r"[\W_]+")
_NUMBER = re.compile(r"[0-9]+")


def fingerprint(text: str) -> int:
    """A 63-bit SimHash of the letters: near-duplicates differ in few bits; numbers all count as 0, empty text is 0.

    Source: Charikar 2002, over character trigrams; 3 bits apart is the usual threshold for 64 bits.
    """
    letters = _NUMBER.sub("0", _LETTERS.sub("", clean(text).text))
    if not letters:
        return 0
    codes = np.frombuffer(f"  {letters}".encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    grams = np.unique((codes[:-2] << np.uint64(42)) ^ (codes[1:-1] << np.uint64(21)) ^ codes[2:])
    hashes = _scattered(grams)
    votes = ((hashes[:, None] >> _BITS) & np.uint64(1)).sum(axis=0, dtype=np.int64) * 2
    return int(((votes > len(grams)).astype(np.uint64) << _BITS).sum(dtype=np.uint64))


def _scattered(values: "np.ndarray[tuple[int], np.dtype[np.uint64]]") -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
    """Every bit of each value spread over all 64. Source: SplitMix64, Steele, Lea and Flood 2014."""
    values = values * _SPARSE
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    scattered: np.ndarray[tuple[int], np.dtype[np.uint64]] = values ^ (values >> np.uint64(31))
    return scattered
