"""How well and how fast texts are read, beside SnowNLP in the same process; `huisheng bench reading`.

Accuracy is told for the committed gold set and, with a data folder as argument, from the model's card by source.
Speeds are CPU time of interleaved runs over the same texts, so that a busy machine burdens both alike.
"""

import io
import json
import time
from collections.abc import Callable
from pathlib import Path

from analysis import evaluation, labelled, legacy, pipeline, segment, stream
from analysis import model as models

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


def loading() -> list[str]:
    """What loading costs: the model, and the model with the dictionary."""
    before = resident()["now"]
    started = time.perf_counter()
    model = models.load()
    model_seconds = time.perf_counter() - started
    segment.cut("热身")
    pipeline.read("热身")
    both = time.perf_counter() - started
    size = models.SHIPPED.stat().st_size / 1e6
    return [
        f"model {model.version}: {size:.2f} MB on disk, loaded in {model_seconds:.2f} s; "
        f"first reading after {both:.2f} s",
        f"memory: +{resident()['now'] - before:.0f} MB for model and dictionary, {resident()['now']:.0f} MB in all",
    ]


def hostile() -> list[str]:
    """The slowest answers to hostile texts; an exception ends the benchmark."""
    times: dict[str, float] = {}
    for name, text in HOSTILE.items():
        times[name] = min(cpu(lambda text=text: pipeline.read(text)) for _ in range(2)) * 1000  # type: ignore[misc]
    worst = sorted(times, key=lambda name: -times[name])[:3]
    told = ", ".join(f"{name} {times[name]:.1f} ms" for name in worst)
    return [f"hostile texts: {len(times)} of {len(times)} answered; slowest: {told}"]


def streaming(texts: list[str]) -> list[str]:
    """Memory while a long stream passes through."""
    lines = b"".join(json.dumps({"id": at, "text": text}).encode() + b"\n" for at, text in enumerate(texts))
    before = resident()["now"]
    stream.analyse(io.BytesIO(lines * 20), io.BytesIO(), processes=1)
    return [
        f"stream of {20 * len(texts)} texts in one process: +{resident()['now'] - before:.0f} MB (the answers kept)"
    ]


def speed(texts: list[str]) -> list[str]:
    """Texts a second against SnowNLP's sentiment of the same texts."""
    lines = b"".join(
        json.dumps({"id": at, "text": text}, ensure_ascii=False).encode() + b"\n" for at, text in enumerate(texts)
    )
    ways: dict[str, Callable[[], object]] = {
        "full reading": lambda: stream.analyse(io.BytesIO(lines), io.BytesIO(), processes=1),
        "sentiment only": lambda: stream.analyse(io.BytesIO(lines), io.BytesIO(), processes=1, only_sentiment=True),
        "SnowNLP": lambda: [legacy.plain(text) for text in texts],
    }
    best = dict.fromkeys(ways, float("inf"))
    legacy.plain("热身")
    for _ in range(ROUNDS):
        for name, work in ways.items():
            best[name] = min(best[name], cpu(work))
    return [
        f"{name:<16}{len(texts) / seconds:>10.0f} texts/s{best['SnowNLP'] / seconds:>8.1f} x SnowNLP"
        for name, seconds in best.items()
    ]


def main() -> None:
    """Print the table."""
    gold = labelled.voices(labelled.GOLD)
    for line in loading():
        print(line)
    print(evaluation.table(evaluation.evaluate(models.load(), gold)))
    for source, score in models.load().card.get("held_out_by_source", {}).items():
        print(f"held out {source:<14}{score['n']:>7}{score['accuracy']:>10.4f}  ECE {score['ece']:.3f}")
    for line in hostile():
        print(line)
    texts = [row.text for row in labelled.voices(labelled.OWN)[::3]] + [row.text for row in gold]
    for line in (*streaming(texts), *speed(texts)):
        print(line)


if __name__ == "__main__":
    main()
