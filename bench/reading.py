"""How well and how fast texts are read, beside SnowNLP in the same process; `huisheng bench reading [FOLDER]`.

Speeds are CPU time of interleaved runs over the same texts, so that a busy machine burdens both alike.
"""

import io
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from analysis import evaluation, labelled, legacy, pipeline, stream
from analysis import model as models
from analysis.reading import LABELS, Reading

ROUNDS = 5
HOSTILE: dict[str, str] = {
    "empty": "",
    "blanks": " \n\t ",
    "one letter": "a",
    "emoji only": "😡👍🏽" * 500,
    "html": "<div onclick='x'>" * 3000 + "好" + "</div>" * 3000,
    "open tags": "<" * 100_000,
    "entities": "&amp;" * 20_000,
    "100,000 characters": "宽带又断了，客服态度差！" * 8334,
    "one character": "啊" * 100_000,
    "one word": "x" * 100_000,
    "digits": "1" * 100_000,
    "phone numbers": "13812345678，" * 9000,
    "spaced digits": "1 " * 50_000,
    "at signs": "@" * 100_000,
    "brackets": "(" * 50_000 + ")" * 50_000,
    "street numbers": "路1号" * 30_000,
    "line ends": "\n" * 100_000,
    "control characters": "".join(map(chr, range(32))) * 3000,
    "lone surrogates": "\ud800好\udfff" * 30_000,
    "combining marks": "e\u0301\u0302\u0303" * 25_000,
    "right to left": "مرحبا " * 15_000,
    "other planes": "𠮷𝕏" * 50_000,
}


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of one run."""
    started = time.process_time()
    work()
    return time.process_time() - started


def resident() -> dict[str, float]:
    """This process's memory in MB: now and at its highest."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    table = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Vm")}
    return {"now": int(table["VmRSS"]) / 1024, "peak": int(table["VmHWM"]) / 1024}


Row = tuple[str, str]


def loading() -> list[Row]:
    """What loading costs: the model, and the model with the dictionary."""
    before = resident()["now"]
    started = time.perf_counter()
    model = models.load()
    model_seconds = time.perf_counter() - started
    pipeline.read("热身")
    both = time.perf_counter() - started
    return [
        ("model", f"{model.version}, {models.SHIPPED.stat().st_size / 1e6:.2f} MB on disk"),
        ("load", f"{model_seconds:.2f} s; first reading, with the dictionary, after {both:.2f} s"),
        ("memory", f"+{resident()['now'] - before:.0f} MB for both, {resident()['now']:.0f} MB in all"),
    ]


def accuracy(name: str, rows: list[labelled.Labelled]) -> list[Row]:
    """Accuracy, macro-F1 and calibration on labelled voices."""
    readings = list(pipeline.read_many(row.text for row in rows))
    answers = {
        "3 classes": [
            (LABELS[(row.sentiment or 0) + 1], one.label, one.confidence) for row, one in _pairs(rows, readings)
        ],
        "topic": [(row.topic, one.topics[0].code, one.topics[0].score) for row, one in _pairs(rows, readings)],
        "intent": [(row.intent, one.intent, 0.0) for row, one in _pairs(rows, readings)],
    }
    told = []
    for question, of in answers.items():
        found = evaluation.quality([(true, said) for true, said, _ in of])
        fit = evaluation.calibration([chance for *_, chance in of], [true == said for true, said, _ in of])
        if found and fit:
            sure = "" if question == "intent" else f", ECE {fit.ece:.3f}"  # no share of the intent is printed
            told.append(
                (f"{name}: {question}", f"{found.accuracy:.3f} of {found.n}, macro-F1 {found.macro_f1:.3f}{sure}")
            )
    return told


def _pairs(rows: list[labelled.Labelled], readings: list[Reading]) -> Iterator[tuple[labelled.Labelled, Reading]]:
    return ((row, one) for row, one in zip(rows, readings, strict=True) if row.topic)


def held_out() -> list[Row]:
    """What the card says of polarity on texts no fold of the head had seen."""
    scores = models.load().card.get("held_out_by_source", {})
    return [
        (f"held out: {source}", f"{score['accuracy']:.3f} of {score['n']}, ECE {score['ece']:.3f}")
        for source, score in scores.items()
    ]


def hostile() -> list[Row]:
    """The slowest answers to hostile texts; an exception ends the benchmark."""
    times: dict[str, float] = {}
    for name, text in HOSTILE.items():
        times[name] = min(cpu(lambda text=text: pipeline.read(text)) for _ in range(3)) * 1000  # type: ignore[misc]
    worst = sorted(times, key=lambda name: -times[name])[:3]
    told = ", ".join(f"{name} {times[name]:.1f} ms" for name in worst)
    return [("hostile texts", f"{len(times)} of {len(times)} answered; slowest: {told}")]


def _lines(texts: Iterable[str]) -> Iterator[bytes]:
    for at, text in enumerate(texts):
        yield json.dumps({"id": at, "text": text}, ensure_ascii=False).encode() + b"\n"


def streaming(texts: list[str], count: int = 20_000) -> list[Row]:
    """Memory while a long stream passes through one process, its answers thrown away."""
    source, started = b"".join(_lines(islice(cycle(texts), count))), time.process_time()
    before = resident()["now"]
    with Path(os.devnull).open("wb") as nowhere:
        stream.analyse(io.BytesIO(source), nowhere, processes=1)
    seconds = time.process_time() - started
    grown = resident()["now"] - before
    return [("stream", f"{count} texts, {count / seconds:.0f} texts/s in one process, +{grown:.0f} MB")]


def speed(name: str, texts: list[str]) -> list[Row]:
    """Texts a second against SnowNLP's sentiment of the same texts: medians of rounds, each way in turn."""
    source = b"".join(_lines(texts))
    ways: dict[str, Callable[[], object]] = {
        "full reading": lambda: stream.analyse(io.BytesIO(source), io.BytesIO(), processes=1),
        "sentiment only": lambda: stream.analyse(io.BytesIO(source), io.BytesIO(), processes=1, only_sentiment=True),
    }
    ratios: dict[str, list[float]] = {way: [] for way in ways}
    rates: dict[str, list[float]] = {way: [] for way in ways}
    legacy.plain("热身")
    for _ in range(ROUNDS):
        snow = cpu(lambda: [legacy.plain(text) for text in texts])
        for way, work in ways.items():
            seconds = cpu(work)
            ratios[way].append(snow / seconds)
            rates[way].append(len(texts) / seconds)
    mean = sum(map(len, texts)) / len(texts)
    return [
        (
            f"{name} ({mean:.0f} characters): {way}",
            f"{median(ratios[way]):.1f} x SnowNLP, {median(rates[way]):.0f} texts/s",
        )
        for way in ways
    ]


def _texts(rows: list[labelled.Labelled], least: int, most: int, count: int = 300) -> list[str]:
    """Voices between two lengths, spread over all rows."""
    fitting = [row.text for row in rows if least <= len(row.text) <= most]
    return fitting[:: max(1, len(fitting) // count)][:count]


def main(arguments: Sequence[str] = ()) -> None:
    """Print the table. One argument: a folder whose `*.tsv` hold more labelled voices to measure on."""
    gold, own = labelled.voices(labelled.GOLD), labelled.voices(labelled.OWN)
    more = sorted(Path(arguments[0]).glob("*.tsv")) if arguments else []
    table = loading()
    table += accuracy("gold", gold)
    for file in more:
        table += accuracy(file.stem, labelled.voices(file))
    table += [*held_out(), *hostile(), *streaming([row.text for row in own])]
    everything = [*gold, *own, *(row for file in more for row in labelled.voices(file))]
    table += speed("remarks", _texts(everything, 14, 22))
    table += speed("voices", _texts(everything, 30, 80))
    wide = max(len(name) for name, _ in table)
    for name, told in table:
        print(f"{name:<{wide}}  {told}", flush=True)
