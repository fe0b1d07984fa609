"""The ladder: who hears of a mark, and what else it does."""

from dataclasses import dataclass

from experience.ground.i18n import say

#: level in percent -> (rung of the ladder, roles told in the holding unit and above it, roles told at the centre)
LADDER: dict[int, tuple[int, tuple[str, ...], tuple[str, ...]]] = {
    50: (1, ("handler",), ()),
    80: (2, ("handler", "coordinator"), ()),
    100: (3, ("handler", "coordinator", "approver"), ("dispatcher",)),
    120: (4, ("coordinator", "approver"), ("dispatcher", "leader")),
}
#: Clocks of the centre itself: its own people hear.
CENTRE_CLOCKS = {"review": ("reviewer",), "callback": ("callback",), "dispatch": ("dispatcher",)}
CLOCK_NAMES = {
    "dispatch": "派单",
    "accept": "签收",
    "contact": "首次联系",
    "resolve": "办结",
    "review": "核验",
    "callback": "回访",
    "supervise": "督办答复",
    "statutory": "法定答复",
}


#: What is said before, at and after the end of a limit.
_SAID = (
    say("工单 %(code)s 的%(clock)s时限已用 %(level)d%%：%(title)s").template,
    say("工单 %(code)s 的%(clock)s时限已到：%(title)s").template,
    say("工单 %(code)s 的%(clock)s已超时，转督办：%(title)s").template,
)


@dataclass(frozen=True, slots=True)
class Hearers:
    """Roles that hear, in the holding unit with those above it, and at the centre."""

    unit_roles: tuple[str, ...]
    centre_roles: tuple[str, ...]


def hearers(kind: str, level: int) -> Hearers:
    """Who hears of this clock's mark."""
    if kind in CENTRE_CLOCKS:
        return Hearers((), CENTRE_CLOCKS[kind] + (("leader",) if level >= 120 else ()))
    _, unit_roles, centre_roles = LADDER[level]
    return Hearers(unit_roles, centre_roles)


def sentence(kind: str, level: int) -> str:
    """What is said of a mark; %(code)s and %(title)s are filled by the notice."""
    coming, due, over = _SAID
    said = coming if level < 100 else due if level == 100 else over
    return said.replace("%(clock)s", CLOCK_NAMES[kind])


def apart(sentence: str) -> tuple[str, str]:
    """A rung's sentence with its clock's place left open, and that clock's name; both empty for other sentences."""
    named = ((said, name) for name in CLOCK_NAMES.values() for said in _SAID)
    return next((found for found in named if found[0].replace("%(clock)s", found[1]) == sentence), ("", ""))
