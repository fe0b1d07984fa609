"""The stages of this package in their order, and how an emptied database is made."""

from sqlalchemy import Engine, inspect, text
from sqlmodel import Session, select

from experience import defaults, setup
from experience.demo import customers, novelty, operator, orders, voices
from experience.demo.past import Past, Stage
from experience.ground.store import transaction
from experience.organisation.tables import Unit

_KEPT = ("alembic_version",)


def is_empty(engine: Engine) -> bool:
    """Whether nobody has set up anything yet."""
    with Session(engine) as session:
        return session.exec(select(Unit.id).limit(1)).first() is None


def empty(engine: Engine) -> None:
    """Takes every row out and puts back what every database needs."""
    names = [name for name in inspect(engine).get_table_names() if name not in _KEPT]
    with transaction(engine) as session:
        session.execute(text(f"truncate {', '.join(names)} restart identity cascade"))
        defaults.ensure(session)


def settle(engine: Engine) -> None:
    """Tells the planner what is in the tables now; autovacuum would, minutes after the first pages were asked for."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))


def organise(engine: Engine, past: Past) -> int:
    """The operator: units, people, touchpoints, sites."""
    with transaction(engine) as session:
        return sum(setup.apply(session, operator.document(), now=past.now).values())


STAGES: tuple[Stage, ...] = (
    Stage("单位、用户、触点", organise),
    Stage("客户", customers.fill),
    Stage("客户原声", voices.hear),
    Stage("新近的说法", novelty.hear),
    Stage("研读", voices.read),
    Stage("吐槽专区", voices.show),
    Stage("问题和工单", orders.fill),
)

#: What can only be done once every package has filled its part.
CLOSING: tuple[Stage, ...] = (
    Stage("研读答卷", voices.read),
    Stage("待研判", orders.triage),
    Stage("成效", orders.measure),
    Stage("新词和聚类", novelty.find),
)
