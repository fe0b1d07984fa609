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
    name = CLOCK_NAMES[kind]
    if level < 100:
        return say("工单 %(code)s 的%(clock)s时限已用 %(level)d%%：%(title)s").template.replace("%(clock)s", name)
    if level == 100:
        return say("工单 %(code)s 的%(clock)s时限已到：%(title)s").template.replace("%(clock)s", name)
    return say("工单 %(code)s 的%(clock)s已超时，转督办：%(title)s").template.replace("%(clock)s", name)
