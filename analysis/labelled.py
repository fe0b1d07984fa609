"""Labelled texts to learn from and to measure with."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analysis import lexicons

#: Emotions of SMP2020-EWECT: 0 neutral, 5 surprise; surprise has no direction and is left out.
_NEUTRAL, _SURPRISE = 0, 5
#: The voices written for this product, shipped with it.
OWN = lexicons.FOLDER / "voices.tsv"
#: The frozen gold set: never trained on, so that it can judge.
GOLD = lexicons.FOLDER / "gold.tsv"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and what a person read in it. `sentiment` −1, 0 or 1; "" and None where nobody said."""

    text: str
    source: str
    sentiment: int | None = None
    topic: str = ""
    intent: str = ""
    urgency: int | None = None


def voices(path: Path) -> list[Labelled]:
    """The rows of a TSV with the columns text, sentiment, topic, intent and, if known, urgency."""
    lines = path.read_text(encoding="utf-8").splitlines()
    names = lines[0].split("\t")
    rows = [dict(zip(names, line.split("\t"), strict=True)) for line in lines[1:] if line]
    return [
        Labelled(
            row["text"],
            path.stem,
            int(row["sentiment"]) if row.get("sentiment") else None,
            row.get("topic", ""),
            row.get("intent", ""),
            int(row["urgency"]) if row.get("urgency") else None,
        )
        for row in rows
    ]


def polar(path: Path) -> Iterator[Labelled]:
    """The rows of a gzipped JSON-Lines file with `text` and `label` 0 or 1, or an `emotion`."""
    source = path.name.removesuffix(".jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            emotion = row.get("emotion")
            if emotion != _SURPRISE:
                sentiment = 0 if emotion == _NEUTRAL and emotion is not None else (1 if row["label"] else -1)
                yield Labelled(row["text"], source, sentiment)


@dataclass(frozen=True, slots=True)
class Folder:
    """Everything found in a training folder: polar, fully labelled and unlabelled texts, with the files' hashes."""

    texts: tuple[Labelled, ...]
    voices: tuple[Labelled, ...]
    unlabelled: tuple[str, ...]
    hashes: dict[str, str]


def folder(path: Path | None) -> Folder:
    """The training data of a folder and the product's own voices; None: the latter alone.

    `**/*.jsonl.gz` are polar texts, `*.tsv` voices, `unlabelled*.txt` one text a line.

    Texts of the gold set are left out wherever they come from.
    """
    gold = {row.text for row in voices(GOLD)}
    packed = sorted(path.rglob("*.jsonl.gz")) if path else []
    tables = [OWN, *(sorted(path.glob("*.tsv")) if path else [])]
    plain = sorted(path.glob("unlabelled*.txt")) if path else []
    return Folder(
        tuple(row for file in packed for row in polar(file)),
        tuple(row for file in tables for row in voices(file) if row.text not in gold),
        tuple(line for file in plain for line in file.read_text(encoding="utf-8").splitlines() if line.strip()),
        {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (*packed, *tables, *plain)},
    )
