"""Judge what was found: name, merge, dismiss, and make topics of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlmodel import Session

from experience.audit.operations import record
from experience.discovery import queries, rules
from experience.discovery.operations.rereading import ask_rereading
from experience.discovery.tables import Cluster, EmergingWord
from experience.ground.errors import Conflict, Invalid
from experience.ground.i18n import say
from experience.organisation.permissions import Scope
from experience.readers.operations.words import add_terms, add_words

T = TypeVar("T")
_LONGEST_NAME = 40
_MOST_MERGED = 40
_EXAMPLES, _WORDS = 8, 12


@dataclass(frozen=True, slots=True)
class Promotion:
    """What a find becomes: a second-level topic `detail` of `code`, told by `terms`.

    With `are_words`, those terms that are cut through where no word ends become words of the operator's own too; with
    `rereads`, the voices of the last months that hold a term are read again.
    """

    code: str
    detail: str
    terms: Sequence[str]
    are_words: bool = True
    rereads: bool = False


def dismiss_word(session: Session, scope: Scope, word_id: int, *, now: datetime) -> EmergingWord:
    """Says that the word is nothing; it stays away for two months however often it is found."""
    return _move_word(session, scope, word_id, ("new", "dismissed"), now=now)


def restore_word(session: Session, scope: Scope, word_id: int, *, now: datetime) -> EmergingWord:
    """Takes a dismissal back."""
    return _move_word(session, scope, word_id, ("dismissed", "new"), now=now)


def _move_word(session: Session, scope: Scope, word_id: int, states: tuple[str, str], *, now: datetime) -> EmergingWord:
    scope.demand("words.edit")
    word = queries.word(session, scope, word_id, is_held=True)
    if word.state != states[0]:
        raise Conflict(say("“%(word)s”已被别人处理过，刷新页面看看。", word=word.word))
    word.state, word.decided_by_id, word.decided_at = states[1], scope.user_id, now
    act = "discovery.dismiss" if states[1] == "dismissed" else "discovery.restore"
    record(session, scope, act, ("emerging_word", word_id), now=now, detail={"word": word.word})
    return word


def promote_word(session: Session, scope: Scope, word_id: int, into: Promotion, *, now: datetime) -> EmergingWord:
    """Makes the word a second-level topic: from the commit on every voice with one of its terms reads so.

    Raises Conflict when it was promoted already, Invalid for a topic or term that cannot be.
    """
    scope.demand("words.edit")
    word = queries.word(session, scope, word_id, is_held=True)
    if word.state == "promoted":
        raise Conflict(say("“%(word)s”已被别人处理过，刷新页面看看。", word=word.word))
    _learn(session, scope, into, now=now)
    word.state, word.code, word.detail = "promoted", into.code, into.detail.strip()
    word.decided_by_id, word.decided_at = scope.user_id, now
    _told(session, scope, ("emerging_word", word_id), into, now=now)
    return word


def promote_cluster(session: Session, scope: Scope, cluster_id: int, into: Promotion, *, now: datetime) -> Cluster:
    """Makes the heap a second-level topic told by these terms. Raises as `promote_word`."""
    scope.demand("words.edit")
    heap = _open_clusters(session, scope, [cluster_id])[0]
    _learn(session, scope, into, now=now)
    heap.state, heap.code, heap.detail = "promoted", into.code, into.detail.strip()
    heap.decided_by_id, heap.decided_at = scope.user_id, now
    _told(session, scope, ("cluster", cluster_id), into, now=now)
    return heap


def rename(session: Session, scope: Scope, cluster_id: int, name: str, *, now: datetime) -> Cluster:
    """Names the heap; next week's heap of the same words takes the name over. Raises Invalid."""
    scope.demand("words.edit")
    name = name.strip()
    if not 0 < len(name) <= _LONGEST_NAME:
        raise Invalid(say("请起一个 1 到 %(most)d 个字的名字。", most=_LONGEST_NAME))
    heap = _open_clusters(session, scope, [cluster_id])[0]
    detail = {"from": heap.name, "to": name}
    heap.name, heap.is_named, heap.decided_by_id, heap.decided_at = name, True, scope.user_id, now
    record(session, scope, "discovery.rename", ("cluster", cluster_id), now=now, detail=detail)
    return heap


def merge(session: Session, scope: Scope, cluster_ids: Sequence[int], *, now: datetime) -> Cluster:
    """Puts heaps of one run into the biggest of them. Raises Invalid for fewer than two or heaps of several runs."""
    scope.demand("words.edit")
    chosen = list(dict.fromkeys(cluster_ids))
    if not 1 < len(chosen) <= _MOST_MERGED:
        raise Invalid(say("请选中 2 到 %(most)d 个要合并的聚类。", most=_MOST_MERGED))
    heaps = sorted(_open_clusters(session, scope, chosen), key=lambda one: (-one.size, one.id or 0))
    if len({one.run_id for one in heaps}) > 1:
        raise Invalid(say("只能合并同一次聚类里的结果。"))
    first, others = heaps[0], heaps[1:]
    size = sum(one.size for one in heaps)
    for name in ("negative_share", "tightness"):
        setattr(first, name, sum(getattr(one, name) * one.size for one in heaps) / size)
    first.share = sum(one.share for one in heaps)
    first.size = size
    first.words = _in_turn([one.words for one in heaps])[:_WORDS]
    first.voice_ids = _in_turn([one.voice_ids for one in heaps])[:_EXAMPLES]
    named = next((one for one in heaps if one.is_named), first)
    first.name, first.is_named = named.name, named.is_named
    first.decided_by_id, first.decided_at = scope.user_id, now
    for one in others:
        one.state, one.merged_into_id = "merged", first.id
        one.decided_by_id, one.decided_at = scope.user_id, now
    detail = {"merged": [one.id for one in others], "size": size}
    record(session, scope, "discovery.merge", ("cluster", first.id), now=now, detail=detail)
    return first


def dismiss_clusters(session: Session, scope: Scope, cluster_ids: Sequence[int], *, now: datetime) -> int:
    """Says that these heaps are nothing; heaps of the same words stay away for two months."""
    scope.demand("words.edit")
    heaps = _open_clusters(session, scope, cluster_ids)
    if not heaps:
        raise Invalid(say("请先选中至少一个聚类。"))
    for one in heaps:
        one.state, one.decided_by_id, one.decided_at = "dismissed", scope.user_id, now
        record(session, scope, "discovery.dismiss", ("cluster", one.id), now=now, detail={"name": one.name})
    return len(heaps)


def _open_clusters(session: Session, scope: Scope, cluster_ids: Sequence[int]) -> list[Cluster]:
    heaps = queries.held_clusters(session, scope, cluster_ids)
    for one in heaps:
        if one.state != "new":
            raise Conflict(say("“%(name)s”已被别人处理过，刷新页面看看。", name=one.name))
    return heaps


def _learn(session: Session, scope: Scope, into: Promotion, *, now: datetime) -> None:
    add_terms(session, scope, into.terms, into.code, into.detail, now=now)
    words = [term for term in into.terms if term.strip() and rules.is_new_word(term.strip())]
    if into.are_words and words:
        add_words(session, scope, words, now=now, note=into.detail.strip())
    if into.rereads:
        ask_rereading(session, scope, into.terms, now=now)


def _told(session: Session, scope: Scope, subject: tuple[str, int], into: Promotion, *, now: datetime) -> None:
    detail = {"code": into.code, "detail": into.detail.strip(), "terms": list(into.terms)[:20]}
    record(session, scope, "discovery.promote", subject, now=now, detail=detail)


def _in_turn(lists: Sequence[Sequence[T]]) -> list[T]:
    """The lists' first entries, then their second ones, and so on, each value once."""
    longest = max(map(len, lists), default=0)
    return list(dict.fromkeys(one[place] for place in range(longest) for one in lists if place < len(one)))
