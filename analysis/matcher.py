"""Many terms found in one pass over a text."""

from collections.abc import Iterable
from operator import add
from typing import Generic, TypeVar

T = TypeVar("T")
Hit = tuple[int, int, T]


class Matcher(Generic[T]):
    """Finds terms of two or more characters; every term carries a payload. One dictionary look-up per character."""

    def __init__(self, terms: Iterable[tuple[str, T]]) -> None:
        self._by_head: dict[str, list[tuple[str, int, T]]] = {}
        for term, payload in terms:
            assert len(term) > 1, f"{term!r} is too short to be told from chance"
            self._by_head.setdefault(term[:2], []).append((term, len(term), payload))

    def find(self, text: str) -> list[Hit[T]]:
        """Every occurrence as (start, end, payload), by start; overlapping ones are all told."""
        heads = self._by_head
        return [
            (at, at + length, payload)
            for at, head in enumerate(map(add, text, text[1:]))
            if head in heads
            for term, length, payload in heads[head]
            if length == 2 or text.startswith(term, at)
        ]


def longest(hits: Iterable[Hit[T]]) -> list[Hit[T]]:
    """The hits that do not lie inside a longer one."""
    kept: list[Hit[T]] = []
    reach, last = -1, (-1, -1)
    for hit in sorted(hits, key=_by_place):
        start, end, _ = hit
        if end > reach or (start, end) == last:
            kept.append(hit)
            reach, last = max(reach, end), (start, end)
    return kept


def _by_place(hit: Hit[T]) -> tuple[int, int]:
    return hit[0], -hit[1]
