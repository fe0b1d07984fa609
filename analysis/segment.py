"""Words out of text: the only door to rjieba and jieba."""

from collections.abc import Iterable
from functools import cache
from typing import Any, Protocol

from analysis import lexicons, normalise


class Segmenter(Protocol):
    """Anything that cuts a text into words, in order and without loss."""

    def cut(self, text: str) -> list[str]: ...

    def add(self, word: str) -> None: ...


class Rust:
    """rjieba: 18 times as fast as jieba, the same words (token F1 .998)."""

    def __init__(self) -> None:
        import rjieba  # noqa: PLC0415 -- its dictionary takes 35 MB; only who cuts pays

        self._jieba: Any = rjieba.Jieba()

    def cut(self, text: str) -> list[str]:
        words: list[str] = self._jieba.cut(text)
        return words

    def add(self, word: str) -> None:
        self._jieba.add_word(word, None, None)  # all three arguments are needed in 0.2.2


class Python:
    """jieba itself, for comparison and where no wheel of rjieba exists; a tokenizer of its own, not the global one."""

    def __init__(self) -> None:
        import jieba  # noqa: PLC0415 -- 1 s and 130 MB, for those who choose it

        jieba.setLogLevel(60)
        self._jieba: Any = jieba.Tokenizer()

    def cut(self, text: str) -> list[str]:
        return list(self._jieba.cut(text))

    def add(self, word: str) -> None:
        self._jieba.add_word(word)


@cache
def shipped_words() -> tuple[str, ...]:
    """The telecom words that come with the product."""
    return tuple(row[0] for row in lexicons.rows("words.txt"))


class _Desk:
    """Holds the segmenter in use, so that it can be swapped as one step while other threads read."""

    def __init__(self) -> None:
        self.segmenter: Segmenter | None = None
        self.words: frozenset[str] = frozenset()


_desk = _Desk()


def use(words: Iterable[str] = (), *, engine: type[Segmenter] = Rust) -> None:
    """From now on cut with the shipped words and these; a fresh instance replaces the old one at once (0.2 s).

    Words can be taken away too: the list given is the whole list.
    """
    fresh = engine()
    wanted = frozenset(word.strip().lower() for word in words if word.strip())
    for word in (*shipped_words(), *sorted(wanted)):
        fresh.add(word)
    _desk.segmenter, _desk.words = fresh, wanted


def words_in_use() -> frozenset[str]:
    """The operator's own words in use (the shipped ones not counted)."""
    return _desk.words


@cache
def _as_shipped() -> Segmenter:
    plain = Rust()
    for word in shipped_words():
        plain.add(word)
    return plain


def cut_as_shipped(clean_text: str) -> list[str]:
    """The words of a clean text without the operator's own, to show what those change; a second dictionary (35 MB)."""
    return _as_shipped().cut(clean_text) if _desk.words else cut(clean_text)


def cut(clean_text: str) -> list[str]:
    """The words of a clean text, in order; joined they are the text again."""
    if _desk.segmenter is None:
        use()
    assert _desk.segmenter is not None
    return _desk.segmenter.cut(clean_text)


def searchable(words: Iterable[str]) -> list[str]:
    """Those words a search can find: at least one letter, figure or Chinese character."""
    return [word for word in words if word[0].isalnum() or any(map(str.isalnum, word))]


def says_something(words: Iterable[str]) -> bool:
    """Whether there is one letter or figure among the words."""
    return any(any(map(str.isalnum, word)) for word in words)


def tokens(text: str) -> list[str]:
    """The searchable words of any text, in order, repeats kept; the same for a voice and for a search for it."""
    return searchable(cut(normalise.clean(text).text))
