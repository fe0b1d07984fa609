"""The page of supervision: what will breach, who holds it, how old it is, and what the clock has done."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, render_template

from experience.reports.queries import orders, supervision, units
from experience.web import door, kit

bp = Blueprint("supervision", __name__, url_prefix="/supervision")

#: On-time share is counted over this long, and shown only from so many orders on.
WINDOW = timedelta(days=30)
LEAST = 5
#: On-time share from which a province is drawn in each tone, best first.
BANDS = ((0.95, 1), (0.9, 2), (0.8, 3), (0.0, 4))
LADDER = ("mark", "supervise", "escalate", "urge")


@dataclass(frozen=True, slots=True)
class Holder:
    """A first-level unit with what it and its departments hold."""

    unit: units.UnitName
    open: int
    late: int
    soon: int
    supervised: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tile:
    """A province on the map: its on-time share, of how many, in which tone (0 is too few to say)."""

    territory: str
    name: str
    code: str
    share: float | None
    n: int
    tone: int


@bp.get("")
@door.requires("orders.read")
def index() -> str:
    """The whole page."""
    db, scope, now = door.db(), door.scope(), door.now()
    names = kit.units()
    pressing = orders.Wanted(state="pressing")
    shown, following = orders.orders(db, scope, pressing, now=now, limit=30)
    met = supervision.on_time(db, scope, now - WINDOW, now)
    return render_template(
        "supervision/index.html",
        counts=orders.order_counts(db, scope, now),
        pressing=shown,
        has_more=following is not None,
        holders=_holders(supervision.holdings(db, scope, now), names),
        ages=list(zip(orders.AGES, supervision.ages(db, scope, now), strict=True)),
        tiles=_tiles(met, names) if scope.reach("orders.read").is_everything else [],
        met=(sum(m for m, _ in met.values()), sum(n for _, n in met.values())),
        ladder=supervision.ladder(db, scope, LADDER),
    )


def _holders(held: list[supervision.Holding], names: dict[int, units.UnitName]) -> list[Holder]:
    made: dict[int, Holder] = {}
    for one in held:
        top = names[names[one.unit_id].top_id]
        so_far = made.get(top.id, Holder(top, 0, 0, 0, 0, None))
        oldest = min(filter(None, (so_far.oldest_at, one.oldest_at)), default=None)
        made[top.id] = Holder(
            top,
            so_far.open + one.open,
            so_far.late + one.late,
            so_far.soon + one.soon,
            so_far.supervised + one.supervised,
            oldest,
        )
    return sorted(made.values(), key=lambda h: (-h.late, -h.soon, -h.open))


def _tiles(met: dict[int, tuple[int, int]], names: dict[int, units.UnitName]) -> list[Tile]:
    totals: dict[int, tuple[int, int]] = {}
    for unit_id, (good, n) in met.items():
        so_far = totals.get(names[unit_id].top_id, (0, 0))
        totals[names[unit_id].top_id] = (so_far[0] + good, so_far[1] + n)
    return [
        _tile(unit, *totals.get(unit.id, (0, 0)))
        for unit in names.values()
        if unit.kind == "province" and unit.territory
    ]


def _tile(unit: units.UnitName, good: int, n: int) -> Tile:
    share = good / n if n >= LEAST else None
    tone = 0 if share is None else next(tone for least, tone in BANDS if share >= least)
    return Tile(unit.territory, unit.name.removesuffix("公司"), unit.code, share, n, tone)
