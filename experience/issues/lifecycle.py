"""The states of an issue and the acts that lead from one to the next."""

from collections.abc import Mapping

from experience.ground.errors import Conflict
from experience.ground.i18n import say

#: state -> the acts allowed in it and the state each leads to.
ACTS: Mapping[str, Mapping[str, str]] = {
    "candidate": {"accept": "open", "dismiss": "dismissed", "merge": "merged", "dispatch": "dispatched"},
    "open": {"dismiss": "dismissed", "merge": "merged", "dispatch": "dispatched", "solve": "solved"},
    "dispatched": {"dispatch": "dispatched", "solve": "solved", "merge": "merged", "recall": "open"},
    "solved": {"reopen": "open", "dispatch": "dispatched"},
    "dismissed": {"reopen": "open"},
    "merged": {},
}
#: States in which the trouble is still ours to mend; one case has at most one such issue found by the clock.
LIVE = ("candidate", "open", "dispatched")


def after(state: str, act: str) -> str:
    """The state the act leads to. Raises Conflict, with what is allowed, when the state does not know the act."""
    allowed = ACTS[state]
    if act not in allowed:
        raise Conflict(say("问题现在的状态不能这样做，请刷新后再试。"), {"state": state, "allowed": sorted(allowed)})
    return allowed[act]
