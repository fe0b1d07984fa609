"""Survey scores as weak labels: only the sure ends say anything about the words beside them."""

#: metric -> (up to here the customer is surely unhappy, from here on surely happy).
_ENDS = {"nps": (3, 9), "csat": (1, 5), "score10": (3, 10)}


def side(metric: str, score: float) -> int:
    """-1 or 1 at the sure ends of a scale (nps 0-10, csat 1-5, score10 1-10), else 0: the middle says nothing."""
    if metric not in _ENDS:
        return 0
    low, high = _ENDS[metric]
    return -1 if score <= low else int(score >= high)


def metrics() -> frozenset[str]:
    """The metrics a weak label is made of."""
    return frozenset(_ENDS)
