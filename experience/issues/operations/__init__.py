"""What is done with issues: raise, join, change, accept, dismiss, merge, solve, reopen, follow their orders, triage."""

from experience.issues.operations.kindred import word_next
from experience.issues.operations.moving import (
    accept,
    dismiss,
    mark_dispatched,
    mark_recalled,
    mark_solved,
    merge,
    reopen,
    solve,
)
from experience.issues.operations.raising import IssueIn, change, join, raise_issue
from experience.issues.operations.triaging import triage_next

__all__ = [
    "IssueIn",
    "accept",
    "change",
    "dismiss",
    "join",
    "mark_dispatched",
    "mark_recalled",
    "mark_solved",
    "merge",
    "raise_issue",
    "reopen",
    "solve",
    "triage_next",
    "word_next",
]
