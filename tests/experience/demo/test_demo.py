"""`huisheng demo`: a small one, from an empty database to every state of an order."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import Engine, func, text
from sqlmodel import Session, col, select

from experience.demo.past import Past, upto
from experience.ground import store
from experience.measures.tables import Measure
from experience.orders.tables import ORDER_STATES, WorkOrder
from experience.voices.tables import Voice
from tests.conftest import DEMO_SCALE, NOW, copied
from tests.running import Running


@pytest.fixture(scope="module")
def filled(
    server: str, demo_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, Running]]:
    """A database with a small demo in it, and commands that run on it."""
    with copied(server, demo_template) as url:
        engine = store.engine(url)
        yield engine, Running(url, tmp_path_factory.mktemp("home"), NOW)
        engine.dispose()


def states(engine: Engine) -> dict[str, int]:
    with Session(engine) as session:
        return dict(session.exec(select(WorkOrder.state, func.count()).group_by(WorkOrder.state)).all())


def test_orders_are_in_every_state_that_operations_lead_to(filled: tuple[Engine, Running]) -> None:
    at_least = set(ORDER_STATES) - {"draft", "merged"}  # two live orders of one unit to merge need a larger demo
    assert at_least <= set(states(filled[0])) <= at_least | {"merged"}


def test_some_orders_are_late_and_some_wait_for_guangdong(filled: tuple[Engine, Running]) -> None:
    with Session(filled[0]) as session:
        late = select(func.count()).where(col(WorkOrder.breached_at).is_not(None), WorkOrder.state == "processing")
        assert session.exec(late).one() >= 2
        waiting = text(
            "select count(*) from work_order o join unit u on u.id = o.unit_id "
            "where u.code like 'guangdong%' and o.state in ('dispatched', 'processing', 'internal_review')"
        )
        assert session.execute(waiting).scalar_one() >= 6


def test_histories_and_clocks_verify_after_a_tick(filled: tuple[Engine, Running]) -> None:
    _, running = filled
    running.tick()
    assert running.command("verify", check=False).returncode == 0


def test_provinces_sum_to_the_country_and_hours_to_the_day(filled: tuple[Engine, Running]) -> None:
    with Session(filled[0]) as session:
        daily = select(func.sum(Measure.n)).where(
            Measure.touchpoint == "app.recharge", Measure.window_seconds == 86400, Measure.key == "success"
        )
        country = session.exec(daily.where(Measure.province == "")).one()
        assert session.exec(daily.where(Measure.province != "")).one() == country
        hours = select(func.sum(Measure.n)).where(
            Measure.touchpoint == "app.recharge", Measure.window_seconds == 3600, Measure.key == "success"
        )
        assert session.exec(hours.where(Measure.province == "")).one() == country


def test_nobody_acts_at_night(filled: tuple[Engine, Running]) -> None:
    by_people = text(
        "select count(*) filter (where not at_desk), count(*) from (select (at at time zone 'Asia/Shanghai')::time "
        "between '08:30' and '21:00' as at_desk from order_step where actor_id is not null) acts"
    )
    with Session(filled[0]) as session:
        at_night, all_acts = session.execute(by_people).one()
    assert all_acts > 100
    assert at_night == 0


def test_a_database_in_use_is_left_alone(filled: tuple[Engine, Running]) -> None:
    engine, running = filled
    with Session(engine) as session:
        before = session.exec(select(func.count()).select_from(Voice)).one()
    refused = running.command("demo", check=False)
    assert refused.returncode == 1
    assert "--reset" in refused.stderr.decode()
    content = running.command("demo", "--if-empty")
    assert "huisheng" in content.stderr.decode()
    with Session(engine) as session:
        assert session.exec(select(func.count()).select_from(Voice)).one() == before


def test_the_past_ends_at_full_five_minutes_and_scales(now: datetime) -> None:
    assert upto(now.replace(minute=13, second=40)).minute == 10
    assert Past(now, 0.1).count(62, least=14) == 14
    assert Past(now).chance("x").random() == Past(now).chance("x").random()


def test_the_screen_says_where_to_look(filled: tuple[Engine, Running]) -> None:
    told = filled[1].command("demo", "--if-empty").stderr.decode()
    assert all(word in told for word in ("/demo/tour", "/demo/hall", "/rants", "lin", "zhou"))


def test_counts_are_the_same_every_time(filled: tuple[Engine, Running]) -> None:
    engine, running = filled
    first = states(engine)
    running.command("demo", "--reset", "--scale", DEMO_SCALE)
    assert states(engine) == first
