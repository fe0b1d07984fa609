"""Names set side by side read as people write them."""

from experience.ground.i18n import spaced


def test_chinese_and_latin_that_meet_are_parted_and_nothing_else_is() -> None:
    assert spaced("广东", "App 充值") == "广东 App 充值"
    assert spaced("App", "登录", "异动") == "App 登录异动"
    assert spaced("广东", "手机App") == "广东手机App"
    assert spaced("", "app.bill", "") == "app.bill"
    assert spaced("5G", "10086", "，好") == "5G10086，好"
