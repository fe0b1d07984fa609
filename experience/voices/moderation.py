"""Whether a rant may stand on the public board at once, or waits for a person."""

import re

from experience.ground.i18n import say
from experience.voices.intake import invalid

#: What a person may do with a rant on the board.
BOARD_STATES = ("hidden", "received", "working", "solved", "declined", "duplicate")
REPLY_LIMIT = 1_000

_LINK = re.compile(r"https?://|www\.|[\w\-]{2,}\.(?:com|cn|net|top|xyz|vip|cc)\b", re.IGNORECASE)
_TOUTING = re.compile(r"加\s*(?:我|微|v|V|q|Q)|兼职|刷单|代办|代开|办证|贷款|返利|博彩|赌|色情|私聊|\+\s*[vVqQ]\b")
_MASKED = re.compile(r"\*{3,}")


def state_on_arrival(masked: str) -> str:
    """`received` when the masked text may be shown at once; `hidden` when it touts, links, or named somebody's data."""
    if len(masked) < 4 or _LINK.search(masked) or _TOUTING.search(masked) or _MASKED.search(masked):
        return "hidden"
    return "received"


def demand_reply(state: str, reply: str) -> None:
    """Raises Invalid unless the state is one of the board's and a refusal says why."""
    if state not in BOARD_STATES:
        raise invalid("state", say("没有“%(state)s”这种状态。", state=state))
    if len(reply) > REPLY_LIMIT:
        raise invalid("reply", say("官方回复最多 %(limit)d 个字。", limit=REPLY_LIMIT))
    if state == "declined" and not reply.strip():
        raise invalid("reply", say("暂不处理时请写明原因，客户会看到。"))
