"""Pages of discovery: emerging words and clusters, judged and made topics of."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_babel import gettext
from sqlmodel import select
from werkzeug.wrappers import Response as AnyResponse

from analysis.reading import LABELS
from analysis.topics import TOPICS
from experience.discovery import operations, queries, rules
from experience.discovery.operations import Promotion
from experience.discovery.operations.asking import DAYS, Narrowed
from experience.discovery.tables import Cluster, EmergingWord
from experience.ground.errors import Conflict, Forbidden, Invalid
from experience.readers import directory
from experience.touchpoints.tables import Channel
from experience.voices.intake import PROVINCES
from experience.web import door, kit
from experience.web.forms.discovery import PromotionForm, topic_choices
from experience.web.once import once
from experience.web.saying import told

bp = Blueprint("discovery", __name__, url_prefix="/discovery")

ROW = "<int(max=9223372036854775807):row_id>"
_SHOWN = 60


@bp.get("")
@door.requires("voices.read")
def emerging() -> str:
    """Words said more than their past lets expect, with why and examples."""
    db, scope = door.db(), door.scope()
    chosen = _place()
    state = _one_of("state", ("new", "dismissed", "promoted"))
    found = queries.emerging(db, scope, now=door.now(), state=state, limit=_SHOWN, **chosen)
    return render_template(
        "discovery/emerging.html",
        found=found,
        examples=queries.examples(db, scope, found, most=2),
        sparks={word.id: rules.spark([*word.history, word.n]) for word in found},
        state=state,
        last=next(iter(queries.runs(db, scope, kind="emerging", limit=1)), None),
        **_choices(),
    )


@bp.get(f"/words/{ROW}")
@door.requires("voices.read")
def word(row_id: int) -> str:
    """One word, its past, its voices, and what to make of it."""
    return _word(queries.word(door.db(), door.scope(), row_id))


def _word(found: EmergingWord, form: PromotionForm | None = None, **more: Any) -> str:
    return render_template(
        "discovery/word.html",
        word=found,
        heard=queries.examples(door.db(), door.scope(), [found], most=10)[found.id or 0],
        bars=_bars(found),
        form=form or _form(found.word, [found.word]),
        **_promoting(),
        **more,
    )


@bp.post(f"/words/{ROW}/promote")
@door.requires("words.edit")
def promote_word(row_id: int) -> AnyResponse | tuple[str, int]:
    """Makes a topic of the word; a refusal shows the page again with what was typed."""
    found = queries.word(door.db(), door.scope(), row_id)
    return _promoted(
        lambda into: operations.promote_word(door.db(), door.scope(), row_id, into, now=door.now()),
        lambda form, refused: _word(found, form, refused=refused),
        url_for("discovery.emerging"),
    )


@bp.post(f"/words/{ROW}/<any(dismiss, restore):what>")
@door.requires("words.edit")
def judge_word(row_id: int, what: str) -> AnyResponse:
    """Sends the word away, or takes it back."""

    def act() -> str:
        change = operations.dismiss_word if what == "dismiss" else operations.restore_word
        found = change(door.db(), door.scope(), row_id, now=door.now())
        said = gettext("已忽略“%(word)s”，两个月内不再提示。") if what == "dismiss" else gettext("已恢复“%(word)s”。")
        flash(said % {"word": found.word}, "good")
        return url_for("discovery.emerging", province=found.province or None, channel=found.channel or None)

    return once(act)


@bp.get("/clusters")
@door.requires("voices.read")
def clusters() -> str:
    """The heaps of the newest run of a place, or of the run asked for."""
    return _clusters()


def _clusters(**more: Any) -> str:
    db, scope = door.db(), door.scope()
    given = request.args.get("run", "")
    run = queries.run(db, scope, int(given)) if given.isdecimal() else queries.latest_run(db, scope, **_place())
    state = _one_of("state", ("new", "dismissed", "promoted"))
    found = queries.clusters(db, scope, run.id or 0, states=(state,)) if run else []
    runs = queries.runs(db, scope, limit=12)
    return render_template(
        "discovery/clusters.html",
        run=run,
        runs=runs,
        busy=next((one for one in runs if one.state in ("waiting", "running")), None),
        found=found,
        examples=queries.examples(db, scope, found, most=2),
        counts=queries.cluster_counts(db, scope, run.id or 0) if run else {},
        state=state,
        days=DAYS,
        labels=LABELS,
        touchpoints=kit.touchpoints(),
        **_choices(),
        **more,
    )


@bp.post("/clusters")
@door.requires("words.edit")
def ask() -> AnyResponse | tuple[str, int]:
    """Asks for heaps of the voices chosen."""

    def act() -> str:
        form = request.form
        days = form.get("days", "28")
        narrowed = Narrowed(
            days=int(days) if days in map(str, DAYS) else 0,
            touchpoint=form.get("touchpoint", ""),
            topic=form.get("topic", ""),
            label=form.get("label", ""),
        )
        run = operations.ask_clusters(
            door.db(), door.scope(), narrowed, now=door.now(), province=form.get("province", "")
        )
        return url_for("discovery.clusters", run=run.id)

    return _or_again(act)


@bp.get(f"/runs/{ROW}")
@door.requires("voices.read")
def progress(row_id: int) -> Response:
    """How far a run is, asked for again while it is under way; then the whole page is asked for."""
    run = queries.run(door.db(), door.scope(), row_id)
    answer = Response(render_template("discovery/_progress.html", busy=run))
    if run.state not in ("waiting", "running"):
        answer.headers["HX-Refresh"] = "true"
    return answer


@bp.post("/clusters/<any(merge, dismiss):what>")
@door.requires("words.edit")
def judge_clusters(what: str) -> AnyResponse | tuple[str, int]:
    """Merges the picked heaps, or sends them away."""

    def act() -> str:
        picked = [int(given) for given in request.form.getlist("cluster") if given.isdecimal() and len(given) < 19]
        if what == "merge":
            into = operations.merge(door.db(), door.scope(), picked, now=door.now())
            flash(gettext("已合并为“%(name)s”，共 %(n)s 条原声。", name=into.name, n=into.size), "good")
            return url_for("discovery.cluster", row_id=into.id)
        n = operations.dismiss_clusters(door.db(), door.scope(), picked, now=door.now())
        flash(gettext("已忽略 %(n)s 个聚类。", n=n), "good")
        run = request.form.get("run", "")
        return url_for("discovery.clusters", run=run if run.isdecimal() else None)

    return _or_again(act)


@bp.get(f"/clusters/{ROW}")
@door.requires("voices.read")
def cluster(row_id: int) -> str:
    """One heap, its words and voices, and what to make of it."""
    return _cluster(queries.cluster(door.db(), door.scope(), row_id))


def _cluster(found: Cluster, form: PromotionForm | None = None, **more: Any) -> str:
    name = found.name if found.is_named else (found.words[0] if found.words else found.name)
    return render_template(
        "discovery/cluster.html",
        cluster=found,
        into=door.db().get(Cluster, found.merged_into_id) if found.merged_into_id else None,
        heard=queries.examples(door.db(), door.scope(), [found], most=10)[found.id or 0],
        form=form or _form(name[:20], found.words[:1]),
        **_promoting(),
        **more,
    )


@bp.post(f"/clusters/{ROW}/name")
@door.requires("words.edit")
def rename(row_id: int) -> AnyResponse | tuple[str, int]:
    """Names the heap."""
    found = queries.cluster(door.db(), door.scope(), row_id)

    def act() -> str:
        operations.rename(door.db(), door.scope(), row_id, request.form.get("name", ""), now=door.now())
        flash(gettext("已改名。"), "good")
        return url_for("discovery.cluster", row_id=row_id)

    try:
        return once(act)
    except (Invalid, Conflict) as refused:
        door.db().rollback()
        return _cluster(found, refused=told(refused)), 422


@bp.post(f"/clusters/{ROW}/promote")
@door.requires("words.edit")
def promote_cluster(row_id: int) -> AnyResponse | tuple[str, int]:
    """Makes a topic of the heap; a refusal shows the page again with what was typed."""
    found = queries.cluster(door.db(), door.scope(), row_id)
    return _promoted(
        lambda into: operations.promote_cluster(door.db(), door.scope(), row_id, into, now=door.now()),
        lambda form, refused: _cluster(found, form, refused=refused),
        url_for("discovery.clusters", run=found.run_id),
    )


def _promoted(
    act: Callable[[Promotion], object], again: Callable[[PromotionForm, str], str], where: str
) -> AnyResponse | tuple[str, int]:
    form = _with_choices(PromotionForm())
    if not form.validate():
        return again(form, ""), 422
    into = Promotion(
        form.code.data, form.detail.data, form.wanted(), are_words=form.are_words.data, rereads=form.rereads.data
    )

    def done() -> str:
        act(into)
        said = gettext(
            "已提升为“%(topic)s / %(detail)s”，从下一条原声起生效。",
            topic=gettext(TOPICS[into.code]),
            detail=into.detail,
        )
        flash(said, "good")
        return where

    try:
        return once(done)
    except (Invalid, Conflict, Forbidden) as refused:
        door.db().rollback()
        return again(form, told(refused)), 422


def _or_again(act: Callable[[], str]) -> AnyResponse | tuple[str, int]:
    try:
        return once(act)
    except (Invalid, Conflict, Forbidden) as refused:
        door.db().rollback()
        return _clusters(refused=told(refused)), 422


def _form(detail: str, terms: list[str]) -> PromotionForm:
    form = PromotionForm(
        formdata=None, data={"detail": detail, "terms": "\n".join(terms), "are_words": True, "rereads": True}
    )
    return _with_choices(form)


def _with_choices(form: PromotionForm) -> PromotionForm:
    form.code.choices = topic_choices(first=gettext("请选择"))
    return form


def _promoting() -> dict[str, Any]:
    return {
        "details": directory.details(door.db(), door.scope()),
        "may_promote": door.scope().reach("words.edit").is_everything,
        "channels": _channels(),
    }


def _bars(found: EmergingWord) -> list[tuple[float, float, int, bool]]:
    """(x, height of 100, count, is it now) of each period's bar."""
    counts = [*found.history, found.n]
    top = max(*counts, 1)
    return [(at * 24.0, max(1.0, count / top * 76), count, at == len(counts) - 1) for at, count in enumerate(counts)]


def _place() -> dict[str, str]:
    return {"province": request.args.get("province", ""), "channel": request.args.get("channel", "")}


def _one_of(name: str, known: tuple[str, ...]) -> str:
    given = request.args.get(name, known[0])
    return given if given in known else known[0]


def _channels() -> dict[str, str]:
    return {row.code: row.name for row in door.db().exec(select(Channel).order_by(Channel.position))}  # type: ignore[arg-type]


def _choices() -> dict[str, Any]:
    reach = door.scope().reach("voices.read")
    return {
        "provinces": [(code, name) for code, name in PROVINCES.items() if reach.sees_province(code)],
        "channels": _channels(),
        "topics": list(TOPICS.items()),
        "may_ask": door.scope().may("words.edit"),
    }
