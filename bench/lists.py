"""The list of orders at a hundred thousand: over the API and as a page, as the centre and a province.

    huisheng bench million && huisheng bench lists --database million

fills the orders of that database up first. Exits with 1 when the p95 of a case misses.
"""

import argparse
import os
import sys
from contextlib import ExitStack
from functools import partial
from urllib.parse import urlencode

from sqlalchemy import Engine, text

from bench.http import free_port, server
from bench.million import database, organise
from bench.search import SERVE, Asker, Case, browser, next_page, show
from experience.ground import clock, store
from experience.orders.tables import ORDER_STATES

ORDERS, PER_ISSUE = 100_000, 5
_ISSUES = """
insert into issue (code, title, summary, state, severity, severity_reason, touchpoint, topic, product, province, origin,
                   stage, opened_at, close_reason, version)
select 'WB' || n, '第' || n || '号：' || (cast(:titles as text[]))[1 + n % 5], '', 'dispatched', 1 + n % 4, '',
       (cast(:touchpoints as text[]))[1 + n % 4], 'billing', '', '', 'staff', '', now() - n * interval '40 minutes',
       '', 1
from generate_series(1, :issues) n
"""
_TITLES = ["充值扣款不到账", "宽带反复断线", "套餐变更失败", "信号覆盖不足", "热线无人接听"]
_TOUCHPOINTS = ["web.recharge", "app.sim", "network.mobile", "store.counter"]
_ORDERS = """
insert into work_order (code, level, issue_id, type, policy, priority, title, instructions, state, version, unit_id,
                        origin, cycle, return_count, reject_count, urge_count, is_forced, is_supervised,
                        escalation_level, due_at, original_due_at, breached_at, created_at, dispatched_at,
                        archived_at, reply_note, reply_cause, reply_measure, last_hash)
select 'GB' || n, 1, i.id, (array['complaint','experience','suggestion','major'])[1 + n % 4], 'default', 0, i.title,
       '请核查并回复客户', s.state, 1, u.id, 'centre', 1, 0, n % 7 / 6, n % 11 / 9, n % 50 = 0, n % 30 = 0, 0,
       case when n % 40 > 0 then t.at + interval '5 days' end, t.at + interval '5 days',
       case when n % 9 = 0 then t.at + interval '5 days' end, t.at, t.at,
       case when s.state = 'archived' then t.at + interval '4 days' end, '', '', '', ''
from generate_series(1, :orders) n
cross join lateral (select now() - (:orders - n) * interval '8 minutes' as at) t
cross join lateral (select case when n < :orders * 0.85 or n % 3 = 0 then 'archived'
                                else (cast(:states as text[]))[1 + n % :kinds] end as state) s
join issue i on i.code = 'WB' || (1 + n / :per)
join (select id, row_number() over (order by id) - 1 as place, count(*) over () as many
      from unit where kind <> 'centre') u on u.place = n % u.many
"""
CASES: dict[str, dict[str, str]] = {
    "open, most pressing": {"state": "open"},
    "all, most pressing": {"state": ""},
    "newest": {"sort": "new", "state": ""},
    "overdue": {"state": "late"},
    "due in a day": {"state": "soon"},
    "pressing": {"state": "pressing"},
    "archived": {"state": "archived"},
    "sent back": {"state": "sent_back"},
    "one unit": {"unit": "guangdong", "state": "open"},
    "one unit, all": {"unit": "guangdong", "state": ""},
    "a type": {"type": "major", "state": "open"},
    "supervised": {"flag": "supervised", "state": ""},
    "asked for": {"flag": "requested", "state": ""},
    "urged, open": {"flag": "urged", "state": "open"},
    "an age": {"age": "4", "state": "open"},
    "words": {"q": "宽带", "state": ""},
    "words nowhere": {"q": "月球基站", "state": ""},
    "a code": {"q": "GB4711", "state": ""},
    "an issue": {"issue": "WB700", "state": ""},
}
API: dict[str, dict[str, str]] = {
    "newest": {},
    "overdue": {"overdue": "true"},
    "not overdue": {"overdue": "false"},
    "one state": {"state": "processing"},
    "archived": {"state": "archived"},
    "one unit": {"unit": "guangdong"},
    "one unit, overdue": {"unit": "guangdong", "overdue": "true"},
    "an issue": {"issue": "WB700"},
}


def fill(engine: Engine, orders: int) -> int:
    """Adds what is missing to so many orders; returns how many there are then."""
    with engine.begin() as connection:
        have = connection.execute(text("select count(*) from work_order")).scalar_one()
        if have < orders:
            open_states = [state for state in ORDER_STATES if state not in ("draft", "archived", "merged", "cancelled")]
            told = {"titles": _TITLES, "touchpoints": _TOUCHPOINTS, "states": open_states, "kinds": len(open_states)}
            connection.execute(text(_ISSUES), told | {"issues": orders // PER_ISSUE + 1})
            connection.execute(text(_ORDERS), told | {"orders": orders, "per": PER_ISSUE})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum (analyze) work_order, issue"))
        return int(connection.execute(text("select count(*) from work_order")).scalar_one())


def main(arguments: list[str]) -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(prog="huisheng bench lists", description=__doc__)
    parser.add_argument("--database", default="million")
    parser.add_argument("--orders", type=int, default=ORDERS)
    chosen = parser.parse_args(arguments)
    url, port = database(chosen.database), free_port()
    engine = store.engine(url)
    organise(engine, clock.now())
    sys.stdout.write(f"{fill(engine, chosen.orders):,} orders\n")
    with ExitStack() as stack:
        environment = {**os.environ, "DATABASE_URL": url.replace("+psycopg", "")}
        stack.enter_context(server(SERVE, port, environment))
        missed = [show(cases(asked), partial(_ways, engine, port, path)) for path, asked in WAYS.items()]
    sys.exit(max(missed))


WAYS = {"/orders": CASES, "/api/v1/orders": API}


def cases(asked: dict[str, dict[str, str]]) -> list[Case]:
    """Each as asked, and the first and an archive far down."""
    first = next(iter(asked.values()))
    return [*(Case(name, more) for name, more in asked.items()), Case("20 pages on", first, 20)]


def _ways(engine: Engine, port: int, path: str, login: str) -> list[Asker]:
    get = browser(engine, port, login)

    def ask(case: Case, cursor: str) -> str | None:
        return next_page(get(f"{path}?{urlencode({**case.asked, **({'cursor': cursor} if cursor else {})})}"))

    return [Asker(path, ask)]
