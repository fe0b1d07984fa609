"""The one solver of all heads: logistic regression that converged, or an error."""

import warnings
from typing import Any

import numpy as np

from analysis.features import Floats


def fitted(x: Any, y: Any, c: float, weights: Any = None, start: tuple[Floats, float] | None = None) -> Any:
    """A converged logistic regression, from `start` (weights, bias) if given. Raises RuntimeError when it gave up.

    On one thread: sums over several would depend on how many cores the machine has.
    """
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 -- training only
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 -- training only
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # noqa: PLC0415 -- scikit-learn's

    head = LogisticRegression(C=c, tol=1e-4, max_iter=1000, warm_start=start is not None)
    if start is not None:
        head.coef_, head.intercept_ = start[0].reshape(1, -1).astype(x.dtype), np.array([start[1]], dtype=x.dtype)
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            return head.fit(x, y, sample_weight=weights)
        except ConvergenceWarning as stopped:
            raise RuntimeError(f"the regression did not converge: {stopped}") from stopped
