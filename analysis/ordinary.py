"""Many texts cleaned at once where nothing in them needs special care; the others one by one.

Most voices hold no link, markup, personal data, run or variant: cleaning them only puts each character in its plain
form. That is one look-up over all of them together; `normalise.clean` answers for the rest. Both give the same.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from analysis import normalise
from analysis.normalise import Clean
from analysis.sheet import MARK

Codes = npt.NDArray[np.int32]
Marks = npt.NDArray[np.uint64]

_EVERY, _PLANE = 0x110000, 0x10000
#: A plain form not worked out yet, and one that is not a single character.
_UNKNOWN, _RESIZED = 0, -1
#: This many figures with at most one character between two of them may be a number that `privacy` hides.
_FIGURES = 9
_SPOKEN = "一幺"
_HOUSE = ("0123456789abcdefghijklmnopqrstuvwxyz一二三四五六七八九十", "号栋幢座单室层楼弄")
_SINGLE = "&<@\n" + "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ"


class _Plain:
    """The plain form of each code point, as far as it has been met."""

    def __init__(self) -> None:
        self._table = np.zeros(_EVERY, dtype=np.int32)
        self._table[0] = _RESIZED

    def of(self, codes: Codes) -> Codes:
        plain: Codes = self._table[codes]
        if not plain.all():
            for code in np.unique(codes[plain == _UNKNOWN]).tolist():
                one = normalise.plain(code)
                self._table[code] = ord(one) if len(one) == 1 else _RESIZED
            plain = self._table[codes]
        return plain


@cache
def _plain() -> _Plain:
    return _Plain()


@cache
def _signs() -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], Marks, Marks]:
    """For each code point: whether it asks for care alone, whether it is a figure, and which pairs it may begin or end.

    A pair asks for care where the first's marks and the second's share a bit. Telling too much costs time only.
    """
    alone = np.zeros(_EVERY, dtype=np.bool_)
    figure = np.zeros(_EVERY, dtype=np.bool_)
    first, second = np.zeros(_EVERY, dtype=np.uint64), np.zeros(_EVERY, dtype=np.uint64)
    alone[[code for code in range(0x3001) if chr(code).isspace() and chr(code) != " "]] = True
    alone[_points(_SINGLE)] = True
    figure[_points("0123456789")] = True
    pairs = [("/", "/"), ("w", "w"), (" ", " " + MARK), (MARK, " "), (_SPOKEN, "三四五六七八九"), _HOUSE]
    after: dict[str, str] = {}
    alone[[ord(variant) for variant in normalise.VARIANTS if len(variant) == 1]] = True
    for variant in normalise.VARIANTS:
        if len(variant) == 2:
            after[variant[0]] = after.get(variant[0], "") + variant[1]
    for number, (before, behind) in enumerate([*pairs, *after.items()]):
        bit = np.uint64(1 << (number if number < len(pairs) else len(pairs) + number % (64 - len(pairs))))
        first[_points(before)] |= bit
        second[_points(behind)] |= bit
    return alone, figure, first, second


@cache
def _long_variants() -> tuple[str, ...]:
    return tuple(variant for variant in normalise.VARIANTS if len(variant) > 2)


def _points(characters: str) -> list[int]:
    return [ord(character) for character in characters]


def clean(texts: Sequence[str]) -> list[Clean]:
    """What `normalise.clean` says of each text."""
    sizes = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    is_long = sizes > normalise.HEAD + normalise.TAIL
    lengths = np.where(is_long, 0, sizes)
    joined = MARK + MARK.join(["" if cut else text for text, cut in zip(texts, is_long.tolist(), strict=True)]) + MARK
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.int32)
    ends = np.cumsum(lengths + 1)
    begins = ends - lengths
    inner = np.ones(len(codes), dtype=np.bool_)
    inner[0] = False
    inner[ends] = False
    plain = _plain().of(codes)
    resized = inner & (plain == _RESIZED)
    plain[~inner | resized] = 0
    whole = plain.tobytes().decode("utf-32-le", "surrogatepass")
    met = resized | _met(plain)
    for variant in _long_variants():
        at = whole.find(variant)
        while at >= 0:
            met[at] = True
            at = whole.find(variant, at + 1)
    before = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(met)))
    special = before[ends] > before[begins - 1]  # with the mark before: a blank may follow it
    places = zip(texts, (special | is_long).tolist(), begins.tolist(), ends.tolist(), strict=True)
    return [
        normalise.clean(text) if is_special else Clean(whole[begin:end], range(end - begin), end - begin)
        for text, is_special, begin, end in places
    ]


def _met(plain: Codes) -> npt.NDArray[np.bool_]:
    """At which of the joined plain characters something begins that asks for care."""
    alone, figure, first, second = _signs()
    met: npt.NDArray[np.bool_] = alone[plain]
    met[:-1] |= (first[plain[:-1]] & second[plain[1:]]) > 0
    same = plain[:-1] == plain[1:]
    met[:-3] |= same[:-2] & same[1:-1] & same[2:] & (plain[:-3] > 0)
    figures = np.flatnonzero(figure[plain])
    near = figures[_FIGURES - 1 :] - figures[: 1 - _FIGURES] <= 2 * (_FIGURES - 1)
    met[figures[: 1 - _FIGURES][near]] = True
    return met


@cache
def _letters() -> npt.NDArray[np.bool_]:
    return np.fromiter((chr(code).isalnum() for code in range(_PLANE)), dtype=np.bool_, count=_PLANE)


def is_letter(codes: Codes) -> npt.NDArray[np.bool_]:
    """Which code points are letters, figures or Chinese characters."""
    letters = _letters()[np.minimum(codes, _PLANE - 1)]
    for place in np.flatnonzero(codes >= _PLANE).tolist():
        letters[place] = chr(codes[place]).isalnum()
    return letters
