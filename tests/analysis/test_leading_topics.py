"""Money that did not arrive is about the bill, wherever it was paid."""

import pytest

from analysis import pipeline


@pytest.mark.parametrize(
    "text",
    [
        "网厅充值扣了钱不到账，已经两个小时了",
        "付款页面一直转圈，最后提示失败，可是银行卡扣了100元",
        "营业厅充的话费没到账",
        "App缴费成功了话费没到",
    ],
)
def test_money_that_did_not_arrive_is_about_the_bill(text: str) -> None:
    assert pipeline.read(text).topics[0].code == "billing"


def test_the_place_itself_stays_a_topic() -> None:
    assert pipeline.read("网厅打不开，一直白屏").topics[0].code == "app"
