"""How sure the small heads may be: one temperature for topics, one for labels with intents, from held-out folds.

Source: Guo et al. 2017, "On calibration of modern neural networks" (temperature scaling).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from analysis import model as models
from analysis.features import Floats
from analysis.heads import Seen, Small, Strangers, matrix, small
from analysis.reading import INTENTS, LABELS

Doubles = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
#: Tried, from half as sure to twice as sure; finer steps are below what the voices can tell.
_STEPS = np.geomspace(0.5, 2.0, 57)


def temperatures(seen: Sequence[Seen], logits: Floats, fold: npt.NDArray[np.int64]) -> dict[str, float]:
    """The factors for the scores of topics and of labels with intents under which held-out voices are likeliest."""
    topic = np.zeros((len(seen), len(models.CODES)))
    joint = np.zeros((len(seen), len(LABELS), len(INTENTS)))
    for number in np.unique(fold).tolist():
        rest, mine = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        heads = small([seen[i] for i in rest.tolist()], logits[rest], Strangers())
        scores = _scores(heads, [seen[i] for i in mine.tolist()], logits[mine])
        topic[mine] = scores[:, models.TOPIC]
        joint[mine] = scores[:, models.LABEL, None] + scores[:, None, models.INTENT] + heads.pairing
    rows = [one.row for one in seen]
    told = np.array([models.CODES.index(row.topic) for row in rows])
    label = np.array([(row.sentiment or 0) + 1 for row in rows])
    intent = np.array([INTENTS.index(row.intent) if row.intent else -1 for row in rows])
    return {
        "topic": _likeliest(lambda factor: _loss(models.softmax(factor * topic), told)),
        "verdict": _likeliest(lambda factor: _verdict_loss(factor * joint, label, intent)),
    }


def _scores(heads: Small, seen: Sequence[Seen], logits: Floats) -> Doubles:
    scores: Doubles = matrix(seen, heads.numbers, logits) @ np.concatenate([heads.features, heads.rules, heads.dense])
    return scores + heads.bias


def _verdict_loss(scores: Doubles, label: Places, intent: Places) -> float:
    shares = models.softmax(scores.reshape(len(scores), -1)).reshape(scores.shape)
    known = intent >= 0
    return _loss(shares.sum(axis=2), label) + _loss(shares.sum(axis=1)[known], intent[known])


def _loss(shares: Doubles, told: Places) -> float:
    """Mean negative log-likelihood."""
    return float(-np.log(np.maximum(shares[np.arange(len(told)), told], 1e-9)).mean())


def _likeliest(loss: Callable[[float], float]) -> float:
    return round(float(min(_STEPS, key=loss)), 3)


def tempered(heads: Small, factors: Mapping[str, float]) -> Small:
    """The heads with their scores scaled; the head that tells an operator's voices stays as it is."""
    scale = np.ones(len(models.HEADS), dtype=np.float32)
    scale[models.TOPIC] = factors.get("topic", 1.0)
    scale[models.INTENT] = scale[models.LABEL] = factors.get("verdict", 1.0)
    pairing = heads.pairing * np.float32(factors.get("verdict", 1.0))
    return replace(
        heads,
        features=heads.features * scale,
        rules=heads.rules * scale,
        dense=heads.dense * scale,
        bias=heads.bias * scale,
        pairing=pairing.astype(np.float32),
    )
