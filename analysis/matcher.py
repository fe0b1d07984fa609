"""Many terms found in one pass over a text."""

from collections.abc import Iterable
from operator import add
from typing import Generic, TypeVar

T = TypeVar("T")


class Matcher(Generic[T]):
    """Finds terms of two or more characters; every term carries a payload. One dictionary look-up per character."""

    def __init__(self, terms: Iterable[tuple[str, T]]) -> None:
        self._by_head: dict[str, list[tuple[str, T]]] = {}
        for term, payload in terms:
            assert len(term) > 1, f"{term!r} is too short to be told from chance"
            self._by_head.setdefault(term[:2], []).append((term, payload))

    def find(self, text: str) -> list[tuple[int, int, T]]:
        """Every occurrence as (start, end, payload), by start; overlapping ones are all told."""
        get = self._by_head.get
        hits: list[tuple[int, int, T]] = []
        for at, head in enumerate(map(add, text, text[1:])):
            heads = get(head)
            if heads is not None:
                hits += [(at, at + len(term), payload) for term, payload in heads if text.startswith(term, at)]
        return hits


def longest(hits: list[tuple[int, int, T]]) -> list[tuple[int, int, T]]:
    """The hits that do not lie inside a longer one."""
    kept: list[tuple[int, int, T]] = []
    reach = -1
    for start, end, payload in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
        if end > reach or (kept and (start, end) == kept[-1][:2]):
            kept.append((start, end, payload))
            reach = max(reach, end)
    return kept
