"""Administration, one's own account and the audit, over the real parts."""

import re

import pytest

from tests.experience.web.staff import Office, Staff
from tests.people import PASSWORD

_SECRET = re.compile(r"<code class=\"user-select-all\">([^<]+)</code></p></div>")


def _shown_once(html: str) -> str:
    return _SECRET.findall(html)[0]


@pytest.mark.parametrize(
    "path",
    ["/account", "/admin", "/admin/users", "/admin/users/zhou", "/admin/units/guangdong", "/admin/sites",
     "/admin/system", "/audit", "/audit?act=log_in&from=2026-11-01&to=2026-11-30&actor=admin"],
)  # fmt: skip
def test_every_page_of_administration_opens(office: Office, path: str) -> None:
    boss, keeper = office.staff("admin"), office.staff("leader")
    (keeper if path.startswith("/audit") else boss).see(path)


def test_a_new_user_logs_in_with_the_password_shown_once(office: Office) -> None:
    boss = office.staff("admin")
    answer = boss.send("/admin/users", "/admin/users", login="sun", name="孙", unit="hunan", role="handler")
    first = _shown_once(answer.text)
    stranger = Staff(office.app.test_client())
    done = stranger.send("/login", "/login", login="sun", password=first)
    assert (done.status_code, done.headers["Location"]) == (303, "/")
    assert first not in boss.see("/admin/users?q=sun")


def test_a_disabled_user_is_out_at_once(office: Office) -> None:
    boss, zhou = office.staff("admin"), office.staff("zhou")
    zhou.see("/orders")
    assert boss.send("/admin/users/zhou", "/admin/users/zhou/disable").status_code == 303
    zhou.see("/orders", status=302)


def test_roles_taken_away_are_gone_at_the_next_request(office: Office) -> None:
    boss, designer = office.staff("admin"), office.staff("designer")
    designer.see("/issues")
    kept = {"name": "叶", "grant": [], "unit": "centre", "role": ["privacy"]}
    assert boss.send("/admin/users/designer", "/admin/users/designer", **kept).status_code == 303
    designer.see("/issues", status=403)


def test_nobody_disables_themselves(office: Office) -> None:
    assert office.staff("admin").send("/admin/users/admin", "/admin/users/admin/disable").status_code == 409


def test_a_changed_password_ends_every_session(office: Office) -> None:
    here, there = office.staff("lin"), office.staff("lin")
    new = {"old": PASSWORD, "new": "a-better-one-9", "again": "a-better-one-9"}
    assert here.send("/account", "/account/password", **new).status_code == 303
    there.see("/account", status=302)


def test_a_wrong_old_password_changes_nothing(office: Office) -> None:
    lin = office.staff("lin")
    wrong = {"old": "wrong", "new": "a-better-one-9", "again": "a-better-one-9"}
    assert lin.send("/account", "/account/password", **wrong).status_code == 422
    lin.see("/account")


def test_a_token_is_shown_once_and_worth_nothing_when_revoked(office: Office) -> None:
    lin = office.staff("lin")
    token = _shown_once(lin.send("/account", "/account/tokens", name="报表", scopes="voices").text)
    headers = {"Authorization": f"Bearer {token}"}
    program = office.app.test_client()
    assert program.get("/api/v1/voices", headers=headers).status_code == 200
    assert program.get("/api/v1/orders", headers=headers).status_code == 403
    page = lin.see("/account")
    assert token not in page
    revoke = re.findall(r'action="(/account/tokens/\d+/revoke)"', page)[0]
    assert lin.send("/account", revoke).status_code == 303
    assert program.get("/api/v1/voices", headers=headers).status_code == 401


def test_a_deputy_acts_for_a_colleague_and_is_themselves_again_when_the_time_is_over(office: Office) -> None:
    zhou, he = office.staff("zhou"), office.staff("he")
    span = {"starts_at": "2026-11-23T09:00", "ends_at": "2026-11-23T12:00"}
    assert zhou.send("/account", "/account/deputies", login="he", **span).status_code == 303
    page = he.see("/account")
    who = re.findall(r'name="user" value="(\d+)"', page)[0]
    assert he.send("/account", "/account/act-for", user=who).status_code == 303
    assert "广东公司" in he.see("/account")
    office.now = office.now.replace(hour=5)
    assert "网络部" in he.see("/account")


def test_a_province_administrator_hands_out_nothing_beyond_the_province(office: Office) -> None:
    boss = office.staff("admin")
    keeper = _shown_once(
        boss.send("/admin/users", "/admin/users", login="gd", name="粤管", unit="guangdong", role="admin").text
    )
    local = Staff(office.app.test_client())
    local.send("/login", "/login", login="gd", password=keeper)
    grab = {"login": "thief", "name": "x", "unit": "centre", "role": "admin"}
    assert local.send("/admin/users", "/admin/users", **grab).status_code == 403
    local.see("/admin/users/wang", status=404)
    local.see("/admin/sites", status=403)
    assert "wang" not in local.see("/admin/users")


def test_a_unit_is_made_under_another(office: Office) -> None:
    boss = office.staff("admin")
    told = {"code": "hunan.shop", "name": "营业厅", "kind": "department", "parent": "hunan"}
    assert boss.send("/admin", "/admin/units", **told).status_code == 303
    assert "营业厅" in boss.see("/admin")
    assert boss.send("/admin", "/admin/units", **told).status_code == 409


def test_units_are_found_by_name_or_code_and_an_empty_result_says_so(office: Office) -> None:
    boss = office.staff("admin")

    def found(words: str) -> set[str]:
        html = boss.see(f"/admin?q={words}").split("<tbody>")[-1]
        return {code for code in ("hunan", "guangdong", "guangdong.network", "migu") if f'/admin/units/{code}"' in html}

    assert found("湖南") == {"hunan"}
    assert found("GuangDong") == {"guangdong", "guangdong.network"}
    assert found("%20网络部%20") == {"guangdong.network"}
    assert found("") == {"hunan", "guangdong", "guangdong.network", "migu"}
    assert found("nowhere") == set()
    assert "没有符合条件的单位" in boss.see("/admin?q=nowhere")
    assert '<option value="hunan"' in boss.see("/admin?q=nowhere")  # a new unit may still go under any


def test_a_refused_form_keeps_what_was_typed_and_says_why(office: Office) -> None:
    admin = office.staff("admin")
    unit = {"code": "guangdong", "kind": "department", "parent": "hunan", "name": "政企客户部"}
    again = admin.send("/admin", "/admin/units", **unit)
    assert again.status_code == 409
    assert "已被使用" in again.text
    assert 'value="政企客户部"' in again.text
    assert '<option value="hunan" selected>' in again.text
    user = {"login": "newcomer", "name": "新来的", "unit": "hunan", "email": "a@b.example"}
    nobody = admin.send("/admin/users", "/admin/users", **user)
    assert nobody.status_code == 422
    assert "请至少给一个单位里的一个角色" in nobody.text
    assert 'value="新来的"' in nobody.text
    changed = admin.send("/admin/users/zhou", "/admin/users/zhou", name="周海波")
    assert changed.status_code == 422
    assert 'value="周海波"' in changed.text
