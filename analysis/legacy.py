"""SnowNLP: the baseline everybody knows, and its Bayes retrained; the only door to snownlp."""

import gzip
import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from analysis import segment

#: SnowNLP's time grows faster than the text (33,000 characters: 8.8 s), so it is shown the beginning only.
_SHOWN = 400
RETRAINED = Path(__file__).parent / "models" / "bayes.json.gz"


@cache
def _guest() -> Any:
    import snownlp  # noqa: PLC0415 -- 2.7 s and 430 MB, for those who choose it

    return snownlp


def plain(text: str) -> float:
    """SnowNLP's own P(positive) of a text; .5 where it would divide by zero (nothing left to judge)."""
    try:
        return float(_guest().SnowNLP(text[:_SHOWN]).sentiments)
    except ZeroDivisionError:  # SnowNLP 0.12.3 on "" and on texts of stop words alone
        return 0.5


def summary(text: str, *, most: int = 3) -> list[str]:
    """SnowNLP's TextRank sentences of a text."""
    if not text.strip():
        return []
    sentences: list[str] = _guest().SnowNLP(text[: _SHOWN * 10]).summary(most)
    return sentences


def train(rows: Iterable[tuple[Sequence[str], bool]], path: Path, *, least: int = 10) -> None:
    """SnowNLP's Bayes trained on segmented texts with their side, kept as JSON: its own marshal is not safe to load."""
    counts: dict[str, list[int]] = {}
    for words, good in rows:
        for word in words:
            counts.setdefault(word, [0, 0])[good] += 1
    kept = {word: pair for word, pair in sorted(counts.items()) if sum(pair) >= least}
    path.write_bytes(gzip.compress(json.dumps(kept, ensure_ascii=False).encode(), mtime=0))


@cache
def _bayes(path: Path) -> Any:
    from snownlp.classification.bayes import Bayes  # noqa: PLC0415 -- loads all of SnowNLP
    from snownlp.utils.frequency import AddOneProb  # noqa: PLC0415

    made = Bayes()
    sides = {"neg": AddOneProb(), "pos": AddOneProb()}
    for word, pair in json.loads(gzip.decompress(path.read_bytes())).items():
        for side, count in zip(("neg", "pos"), pair, strict=True):
            if count:
                sides[side].add(word, count)
    made.d = sides
    made.total = sum(side.getsum() for side in sides.values())
    return made


def retrained(text: str, *, path: Path = RETRAINED) -> float:
    """P(positive) of a clean text by SnowNLP's Bayes trained on many domains with our words."""
    words = segment.searchable(segment.cut(text))
    if not words:
        return 0.5
    side, probability = _bayes(path).classify(words)
    return float(probability if side == "pos" else 1 - probability)


#: Other engines for the sentiment, by the name given to `--with`.
ENGINES: dict[str, Callable[[str], float]] = {"snownlp": plain, "bayes": retrained}
