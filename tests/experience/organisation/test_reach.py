"""Each role reaches as far as its own grant: mixed grants by every act, and the worst of them through HTTP."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from experience.customers import operations as customers
from experience.customers.operations import CustomerIn
from experience.ground import store
from experience.ground.errors import Forbidden
from experience.ground.store import transaction
from experience.issues.operations import IssueIn, raise_issue
from experience.orders import queries as orders
from experience.orders.queries import standing
from experience.orders.tables import WorkOrder
from experience.organisation import directory, operations, queries
from experience.organisation.operations import UnitIn, UserIn, issue_token, logins, save_unit
from experience.organisation.permissions import ACTS, PERSONAL_ACTS, ROLES, SYSTEM, Reach, RoleHeld, Scope
from experience.organisation.tables import Deputy
from experience.voices import operations as voices
from experience.voices import queries as voice_queries
from experience.voices.intake import VoiceIn
from tests import whole
from tests.conftest import NOW, _admin, address
from tests.people import PASSWORD, PASSWORD_HASH, House, build_house
from tests.whole import MARK, PHONE, Whole

#: login -> grants as (unit, role); the place of each unit in the tables below.
MIXED = {
    "mixed": (("centre", "viewer"), ("hunan", "approver")),
    "split": (("guangdong", "viewer"), ("hunan", "coordinator")),
    "based": (("migu", "triager"), ("hunan", "analyst")),
    "careful": (("centre", "viewer"), ("hunan", "privacy"), ("hunan", "designer"), ("hunan", "handler")),
    "twice": (("hunan", "handler"), ("hunan", "approver"), ("hunan", "coordinator")),
}
PLACES = {"centre": "", "guangdong": "guangdong", "hunan": "hunan"}


def _holds(role: str, act: str) -> bool:
    return role in ACTS[act] or (role == "admin" and act not in PERSONAL_ACTS)


def _house(session: Session, now: datetime) -> House:
    house = build_house(session, now)
    for login, grants in MIXED.items():
        told = UserIn(login, login, grants, password_hash=PASSWORD_HASH)
        house.users[login] = operations.ensure_user(session, told, now=now)
    return house


def _reaches(scope: Scope, house: House, act: str) -> set[str]:
    """Codes of the units that the act reaches."""
    return {code for code, unit in house.units.items() if scope.reach(act).sees_unit(unit.id or 0)}


def _expected(grants: tuple[tuple[str, str], ...], house: House, act: str) -> set[str]:
    """The same, read off the grants: the subtree of each unit whose role holds the act."""
    return {
        code
        for granted, role in grants
        if _holds(role, act)
        for code, unit in house.units.items()
        if unit.path.startswith(house.units[granted].path)
    }


def test_every_act_reaches_exactly_the_subtrees_of_the_roles_that_hold_it(session: Session, now: datetime) -> None:
    house = _house(session, now)
    for login, grants in MIXED.items():
        scope = house.scope(login)
        for act in ACTS:
            assert _reaches(scope, house, act) == _expected(grants, house, act), (login, act)
            assert scope.may(act) == any(_holds(role, act) for _, role in grants), (login, act)
            for province in ("guangdong", "hunan"):
                assert scope.reach(act).sees_province(province) == (province in _expected(grants, house, act))


def test_a_deputy_reaches_what_the_colleague_reaches_and_nothing_of_their_own(session: Session, now: datetime) -> None:
    house = _house(session, now)
    row = Deputy(
        user_id=house.users["mixed"].id or 0,
        deputy_id=house.users["zhou"].id or 0,
        starts_at=now - timedelta(days=1),
        ends_at=now + timedelta(days=1),
    )
    session.add(row)
    session.flush()
    acting = queries.scope_of(session, house.users["zhou"], now, acting_for_id=house.users["mixed"].id)
    for act in ACTS:
        assert _reaches(acting, house, act) == _expected(MIXED["mixed"], house, act), act
    assert acting.user_id == house.users["zhou"].id


@pytest.mark.parametrize("narrow", ["orders", "orders.approve", "voices.read"])
def test_a_narrowed_token_reaches_nothing_by_another_act(session: Session, now: datetime, narrow: str) -> None:
    house = _house(session, now)
    scope = queries.scope_of(session, house.users["mixed"], now, token_scopes=[narrow])
    for act in ACTS:
        is_open = narrow in (act, act.partition(".")[0])
        assert _reaches(scope, house, act) == (_expected(MIXED["mixed"], house, act) if is_open else set()), act
        assert scope.may(act) <= is_open


_GRANTS = st.lists(
    st.tuples(st.sampled_from(["/1/", "/1/2/", "/1/3/", "/1/2/4/"]), st.sampled_from(ROLES)), max_size=6, unique=True
)


@given(_GRANTS, st.tuples(st.sampled_from(["/1/", "/1/2/", "/1/3/"]), st.sampled_from(ROLES)))
def test_a_grant_more_widens_only_the_acts_of_its_role(grants: list[tuple[str, str]], more: tuple[str, str]) -> None:
    before, after = _by_path(grants), _by_path([*grants, more])
    for act in ACTS:
        if _holds(more[1], act):
            assert before.reach(act).unit_ids <= after.reach(act).unit_ids
            assert after.reach(act).is_everything >= before.reach(act).is_everything
        else:
            assert before.reach(act) == after.reach(act)


def _by_path(grants: list[tuple[str, str]]) -> Scope:
    known = ("/1/", "/1/2/", "/1/3/", "/1/2/4/")
    reaches = {
        path: Reach(
            unit_ids=frozenset(n for n, one in enumerate(known) if one.startswith(path)), is_everything=path == "/1/"
        )
        for path in known
    }
    return Scope(1, held=tuple(RoleHeld(role, reaches[path]) for path, role in grants))


def test_a_province_of_ones_own_is_kept_beside_the_centre(session: Session, now: datetime) -> None:
    scope = _house(session, now).scope("mixed")
    assert scope.reach("orders.read").is_everything
    assert not scope.reach("orders.approve").is_everything
    assert scope.reach("orders.approve").territories == {"hunan"}


def test_what_may_be_done_to_an_order_follows_its_unit(session: Session, now: datetime) -> None:
    house = _house(session, now)
    played = {}
    for login in MIXED:
        for unit in ("guangdong", "hunan"):
            order = WorkOrder(code="G1", type="experience", title="t", unit_id=house.unit(unit))
            around = standing.Around(house.units[unit], None, [], [])
            played[login, unit] = set(standing.actors_of(house.scope(login), order, around))
    assert played["mixed", "hunan"] == {"approver"}
    assert played["mixed", "guangdong"] == set()
    assert played["split", "hunan"] == {"unit", "coordinator"}
    assert played["split", "guangdong"] == set()
    assert played["twice", "hunan"] == {"unit", "coordinator", "approver"}
    assert played["careful", "hunan"] == {"unit", "coordinator"}
    assert played["careful", "guangdong"] == set()


def test_a_voice_is_unmasked_only_where_the_right_is_held(session: Session, now: datetime) -> None:
    house = _house(session, now)
    heard = {
        place: voices.hear(session, SYSTEM, VoiceIn(f"电话{PHONE}", "hotline", place, province=place), now=now)
        for place in ("guangdong", "hunan")
    }
    scope = house.scope("careful")
    assert len(voice_queries.page(session, scope, voice_queries.Filters()).items) == 2
    assert PHONE in voices.unmask(session, scope, heard["hunan"].id or 0, "回访核实", now=now).text
    with pytest.raises(Exception, match="不在您的范围内"):
        voices.unmask(session, scope, heard["guangdong"].id or 0, "回访核实", now=now)


def test_customers_are_kept_only_where_the_right_is_held(session: Session, now: datetime) -> None:
    scope = _house(session, now).scope("based")
    customers.keep(session, scope, "c-1", CustomerIn(province="hunan"), now=now)
    with pytest.raises(Forbidden):
        customers.keep(session, scope, "c-2", CustomerIn(province="guangdong"), now=now)
    customers.keep(session, SYSTEM, "c-3", CustomerIn(province="guangdong"), now=now)
    with pytest.raises(Forbidden):
        customers.keep(session, scope, "c-3", CustomerIn(do_not_ask=True), now=now)


def test_an_issue_is_not_put_into_another_province(session: Session, now: datetime) -> None:
    house = _house(session, now)
    told = UserIn("sorter", "分", (("centre", "viewer"), ("hunan", "triager")), password_hash=PASSWORD_HASH)
    scope = queries.scope_of(session, operations.ensure_user(session, told, now=now), now)
    with pytest.raises(Forbidden):
        raise_issue(session, scope, IssueIn("外省问题", 2, province="guangdong"), now=now)
    assert raise_issue(session, scope, IssueIn("本省问题", 2), now=now).province == "hunan"
    assert raise_issue(session, house.scope("based"), IssueIn("视频卡", 2, product="video"), now=now).province == ""


def test_an_administrator_of_one_province_gives_no_unit_another_ones_data(session: Session, now: datetime) -> None:
    house = _house(session, now)
    told = UserIn("keeper", "管", (("hunan", "admin"), ("centre", "viewer")), password_hash=PASSWORD_HASH)
    scope = queries.scope_of(session, operations.ensure_user(session, told, now=now), now)
    assert {unit.code for unit in directory.units(session, scope.reach("organisation.edit"))} == {"hunan"}
    for place in ({"territory": "guangdong"}, {"territory": "hunan", "product_line": "video"}):
        with pytest.raises(Forbidden):
            save_unit(session, scope, UnitIn("hunan", "湖南", "province", "centre", **place), is_new=False, now=now)
        with pytest.raises(Forbidden):
            save_unit(session, scope, UnitIn("hunan.x", "新", "department", "hunan", **place), is_new=True, now=now)
    fine = UnitIn("hunan", "湖南公司", "province", "centre", territory="hunan")
    assert save_unit(session, scope, fine, is_new=False, now=now).id == house.unit("hunan")


def test_reaches_of_several_units_asked_at_once_are_those_asked_one_by_one(session: Session, now: datetime) -> None:
    paths = tuple(sorted(unit.path for unit in _house(session, now).units.values()))
    assert queries.subtrees(session, paths) == {path: queries.subtrees(session, (path,))[path] for path in paths}


def test_a_role_at_the_centre_is_no_membership_of_a_province_held_beside_it(session: Session, now: datetime) -> None:
    house = _house(session, now)
    told = UserIn("both", "兼", (("centre", "approver"), ("hunan", "viewer")), password_hash=PASSWORD_HASH)
    scope = queries.scope_of(session, operations.ensure_user(session, told, now=now), now)
    order = WorkOrder(code="G1", type="experience", title="t", unit_id=house.unit("hunan"))
    assert standing.actors_of(scope, order, standing.Around(house.units["hunan"], None, [], [])) == frozenset()


# --- through HTTP -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def doors(server: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    name = f"{template}_reach"
    _admin(server, f"create database {name} template {template}")
    engine = store.engine(address(server, name))
    made = whole.make(engine, tmp_path_factory.mktemp("home"), NOW)
    with transaction(engine) as session:
        for login, grants in MIXED.items():
            operations.ensure_user(session, UserIn(login, login, grants, password_hash=PASSWORD_HASH), now=NOW)
            made.tokens[login] = issue_token(session, SYSTEM, login, now=NOW)
            key = logins.log_in(session, login, PASSWORD, now=NOW + timedelta(seconds=30))
            assert key is not None
            made.keys[login] = key
        customers.keep(session, SYSTEM, "gd-1", CustomerIn(province="guangdong"), now=NOW)
    yield made
    whole.security.limiter.enabled = True
    engine.dispose()
    made.app.extensions["huisheng.engine"].dispose()
    _admin(server, f"drop database {name} with (force)")


@pytest.fixture(scope="module")
def awaiting(doors: Whole) -> str:
    """Guangdong's order, replied and waiting for its own province's approval."""
    code = doors.facts["order"]
    with transaction(doors.engine) as session:
        order = session.exec(select(WorkOrder).where(WorkOrder.code == code)).one()
        order.state = "internal_review"
        session.add(order)
    return code


@pytest.mark.parametrize("action", ["approve_internal", "reject_internal", "accept", "confirm", "urge", "cancel"])
def test_a_viewer_of_the_centre_with_a_role_elsewhere_moves_no_order(doors: Whole, awaiting: str, action: str) -> None:
    with transaction(doors.engine) as session:
        version = session.exec(select(col(WorkOrder.version)).where(WorkOrder.code == awaiting)).one()
    body = {"action": action, "version": version, "reason": "不同意", "note": "好", "cause": "network"}
    for login in ("mixed", "careful", "split"):
        seen = doors.ask(login, "GET", f"/api/v1/orders/{awaiting}")
        assert (seen.status_code, seen.json["allowed"]) == (200, [])
        assert doors.ask(login, "POST", f"/api/v1/orders/{awaiting}/actions", json=body).status_code == 403
    assert doors.ask("twice", "GET", f"/api/v1/orders/{awaiting}").status_code == 404
    assert "approve_internal" in doors.ask("approver", "GET", f"/api/v1/orders/{awaiting}").json["allowed"]


def test_what_was_denied_is_in_the_audit(doors: Whole, awaiting: str) -> None:
    path = f"/api/v1/orders/{awaiting}/actions"
    with doors.undone():
        client, headers = doors.client("mixed", path)
        assert client.post(path, headers=headers, json={"action": "accept", "version": 1}).status_code == 403
        client, headers = doors.client("leader", path)
        lines = client.get("/api/v1/audit?act=denied", headers=headers).json["items"]
    assert [(line["actor"], line["subject"]) for line in lines] == [("mixed", path)]


def test_anothers_voice_is_not_unmasked_though_it_is_read(doors: Whole) -> None:
    voice = doors.facts["voice"]
    assert MARK in doors.ask("careful", "GET", f"/voices/{voice}").text
    answer = doors.ask("careful", "POST", f"/api/v1/voices/{voice}/unmask", json={"reason": "回访核实"})
    assert answer.status_code == 404
    assert PHONE not in answer.text
    assert (
        doors.ask("privacy", "POST", f"/api/v1/voices/{voice}/unmask", json={"reason": "回访核实"}).status_code == 200
    )


def test_the_privacy_officer_reaches_the_voice_by_its_page(doors: Whole) -> None:
    text = doors.ask("privacy", "GET", f"/voices/{doors.facts['voice']}").text
    assert MARK in text
    assert PHONE not in text


def test_a_voice_does_not_name_the_issue_of_another_province_that_it_proves(doors: Whole) -> None:
    body = {"title": "湘电缆沟机密", "province": "hunan", "voices": [int(doors.facts["voice"])]}
    path = f"/voices/{doors.facts['voice']}"
    with doors.undone():
        client, headers = doors.client("lin", "/api/")
        assert client.post("/api/v1/issues", headers=headers, json=body).status_code == 201
        assert "湘电缆沟机密" in doors.client("lin", path)[0].get(path).text
        assert "湘电缆沟机密" not in doors.client("zhou", path)[0].get(path).text


def test_an_issue_read_everywhere_is_dispatched_only_where_the_act_is_held(doors: Whole) -> None:
    body = {"unit": "hunan", "type": "experience", "instructions": "请核查"}
    with transaction(doors.engine) as session:
        told = UserIn("sender", "送", (("centre", "viewer"), ("hunan", "coordinator")), password_hash=PASSWORD_HASH)
        operations.ensure_user(session, told, now=NOW)
        doors.tokens["sender"] = issue_token(session, SYSTEM, "sender", now=NOW)
    issue = doors.facts["issue"]
    assert doors.ask("sender", "GET", f"/api/v1/issues/{issue}").status_code == 200
    assert doors.ask("sender", "POST", f"/api/v1/issues/{issue}/dispatch", json=body).status_code == 404


@pytest.mark.parametrize("path", ["/triggers/new", "/triggers/simulate"])
def test_a_designer_of_one_province_changes_no_rule_of_all(doors: Whole, path: str) -> None:
    form = {
        "name": "x",
        "touchpoint": "web.recharge",
        "survey": "none",
        "type": "event",
        "event": "fail",
        "sample": "100",
    }
    answer = doors.ask("careful", "POST", path, data=form)
    assert answer.status_code == 422
    assert "集团中心" in answer.text or "没有这份" in answer.text


def test_another_provinces_customer_is_neither_read_nor_changed(doors: Whole) -> None:
    for login in ("careful", "based"):
        assert doors.ask(login, "GET", "/api/v1/customers/gd-1").status_code == 404
        assert doors.ask(login, "PUT", "/api/v1/customers/gd-1", json={"do_not_ask": True}).status_code == 403
    assert doors.ask("privacy", "GET", "/api/v1/customers/gd-1").status_code == 200


@pytest.mark.parametrize("path", ["/voices/export.csv", "/orders/export.csv?state=all", "/api/v1/notices", "/notices"])
def test_exports_and_notices_hold_nothing_of_another_province(doors: Whole, path: str) -> None:
    for login in ("twice", "based"):
        assert MARK not in doors.ask(login, "GET", path).text
    assert MARK in doors.ask("split", "GET", "/voices/export.csv").text


def test_the_caller_is_told_each_role_with_its_units(doors: Whole) -> None:
    told = doors.ask("mixed", "GET", "/api/v1/me").json
    assert {(one["role"], one["is_everything"]) for one in told["grants"]} == {("viewer", True), ("approver", False)}


def test_orders_waiting_elsewhere_are_counted_for_nobody_else(doors: Whole) -> None:
    with transaction(doors.engine) as session:
        user = queries.user_by_login(session, "twice")
        assert user is not None
        scope = queries.scope_of(session, user, NOW)
        assert orders.orders(session, scope, orders.OrderFilter(), now=NOW, after=None, limit=10) == []
