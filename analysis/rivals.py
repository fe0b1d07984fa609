"""The other engines beside the model, on the gold set: what the model page shows side by side."""

import time
from collections.abc import Callable, Iterable

from analysis import evaluation, labelled, legacy, pipeline


def compared(report: evaluation.Report, *, with_speed: bool = True) -> dict[str, dict[str, float]]:
    """Polarity on the gold set by the model, SnowNLP and its Bayes retrained; with texts a second unless told not to.

    Without speeds two calls say the same, as a card that is to be made again byte for byte needs.
    """
    polar = [row for row in labelled.voices(labelled.GOLD) if row.sentiment]
    texts, good = [row.text for row in polar], [row.sentiment == 1 for row in polar]

    def speed(read: Callable[[], Iterable[object]]) -> dict[str, float]:
        if not with_speed:
            return {}
        began = time.perf_counter()
        list(read())
        return {"texts_per_second": round(len(texts) / (time.perf_counter() - began))}

    own = _figures(report.binary["all"], report.calibration["all"])
    found = {"model": {**own, **speed(lambda: pipeline.read_many(texts))}}
    for name, engine in legacy.ENGINES.items():
        said = [(told + 1) / 2 for told in pipeline.sentiments(texts, positive=engine)]
        right = evaluation.quality(list(zip(good, [chance > 0.5 for chance in said], strict=True)))  # noqa: PLR2004
        fit = evaluation.calibration(said, good)
        assert right is not None
        assert fit is not None
        asked = speed(lambda engine=engine: pipeline.sentiments(texts, positive=engine))  # type: ignore[misc]
        found[name] = {**_figures(right, fit), **asked}
    return found


def _figures(right: evaluation.Quality, fit: evaluation.Calibration) -> dict[str, float]:
    return {
        "n": right.n, "accuracy": round(right.accuracy, 4), "macro_f1": round(right.macro_f1, 4),
        "brier": round(fit.brier, 4), "ece": round(fit.ece, 4),
    }  # fmt: skip
