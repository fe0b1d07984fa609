"""What is done with discovery: ask for it, look, and judge what was found."""

from experience.discovery.operations.asking import ask_clusters, ask_nightly
from experience.discovery.operations.deciding import (
    Promotion,
    dismiss_clusters,
    dismiss_word,
    merge,
    promote_cluster,
    promote_word,
    rename,
    restore_word,
)
from experience.discovery.operations.looking import look_next
from experience.discovery.operations.rereading import ask_rereading

__all__ = [
    "Promotion",
    "ask_clusters",
    "ask_nightly",
    "ask_rereading",
    "dismiss_clusters",
    "dismiss_word",
    "look_next",
    "merge",
    "promote_cluster",
    "promote_word",
    "rename",
    "restore_word",
]
