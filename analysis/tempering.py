"""How sure the small heads may be, from held-out folds: one temperature for topics, one for labels with intents.

A temperature cannot mend both ends at once: held-out voices without a clear topic are read right more often than the
first topic's share says. So that share has a sigmoid of its own as well.
Sources: Guo et al. 2017, "On calibration of modern neural networks" (temperature scaling); Platt 1999.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from analysis import labelled
from analysis import model as models
from analysis.features import Floats
from analysis.heads import Seen, Small, Strangers, matrix, small
from analysis.labelled import Labelled
from analysis.reading import INTENTS, LABELS
from analysis.solver import fitted

Doubles = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
#: So many given voices tell how sure to be better than many more of the product's own.
_ENOUGH = 200
#: Tried, from half as sure to twice as sure; finer steps are below what the voices can tell.
_STEPS = np.geomspace(0.5, 2.0, 57)


@dataclass(frozen=True, slots=True)
class Sureness:
    """Factors for the scores of the heads (`topic`, `verdict`), and what the first topic's share then says."""

    factors: Mapping[str, float]
    topic: models.Calibration


def sureness(seen: Sequence[Seen], logits: Floats, fold: npt.NDArray[np.int64]) -> Sureness:
    """The sureness under which held-out voices are likeliest: those given, where there are enough, else all.

    The product's own voices were written to be hard, staff's corrections are what was read wrong: who is right in 74 %
    of those is right in 87 % of common ones, and should say so.
    """
    rows = [one.row for one in seen]
    given = np.array([row.source != labelled.OWN.stem and not row.source.startswith("corrections") for row in rows])
    judges = np.flatnonzero(given if given.sum() >= _ENOUGH else np.ones(len(rows), dtype=np.bool_))
    topic, joint = held_out(seen, logits, fold)
    return judged([rows[place] for place in judges.tolist()], topic[judges], joint[judges])


def held_out(seen: Sequence[Seen], logits: Floats, fold: npt.NDArray[np.int64]) -> tuple[Doubles, Doubles]:
    """Scores of topics, and of labels with intents, by heads that have not seen the voice."""
    topic = np.zeros((len(seen), len(models.CODES)))
    joint = np.zeros((len(seen), len(LABELS), len(INTENTS)))
    for number in np.unique(fold).tolist():
        rest, mine = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        heads = small([seen[i] for i in rest.tolist()], logits[rest], Strangers())
        scores = _scores(heads, [seen[i] for i in mine.tolist()], logits[mine])
        topic[mine] = scores[:, models.TOPIC]
        joint[mine] = scores[:, models.LABEL, None] + scores[:, None, models.INTENT] + heads.pairing
    return topic, joint


def judged(rows: Sequence[Labelled], topic: Doubles, joint: Doubles) -> Sureness:
    """The sureness that fits held-out scores best."""
    told = np.array([models.CODES.index(row.topic) for row in rows])
    label = np.array([(row.sentiment or 0) + 1 for row in rows])
    intent = np.array([INTENTS.index(row.intent) if row.intent else -1 for row in rows])
    factors = {
        "topic": _likeliest(lambda factor: _loss(models.softmax(factor * topic), told)),
        "verdict": _likeliest(lambda factor: _verdict_loss(factor * joint, label, intent)),
    }
    return Sureness(factors, _of_the_first(models.softmax(factors["topic"] * topic), told))


def _of_the_first(shares: Doubles, told: Places) -> models.Calibration:
    """What the largest share says of being right; bounded so that it stays the largest."""
    most = np.clip(shares.max(axis=1), 1e-6, 1 - 1e-6)
    fit = fitted(np.log(most / (1 - most)).reshape(-1, 1), shares.argmax(axis=1) == told, 1e6)
    return models.Calibration(min(1.0, float(fit.coef_[0][0])), max(0.0, float(fit.intercept_[0])))


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
