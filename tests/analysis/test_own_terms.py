from collections.abc import Iterator

import numpy as np
import pytest

from analysis import model, pipeline, terms, topics


@pytest.fixture(autouse=True)
def _no_own_terms_again() -> Iterator[None]:
    yield
    topics.use(())


def test_an_own_term_names_the_second_level_and_leads_the_first() -> None:
    text = "昨天试了碰一碰，店员说要重新来一遍"
    assert pipeline.read(text).topics[0].detail != "碰一碰支付"
    topics.use([("碰一碰", "app", "碰一碰支付")])
    first = pipeline.read(text).topics[0]
    assert (first.code, first.detail) == ("app", "碰一碰支付")
    topics.use(())
    assert pipeline.read(text).topics[0].detail != "碰一碰支付"


def test_own_terms_never_reach_the_models_inputs() -> None:
    texts = ["宽带体检说没问题，可是网速慢", "流量用得快", "随便说一句"]
    plain = [pipeline.read(text) for text in texts]
    hits = [terms.find(text).topics for text in texts]
    topics.use([("宽带体检", "broadband", "宽带体检"), ("网速", "data", "别的")])
    assert [terms.find(text).topics for text in texts] == hits
    assert len(model.load().rules) == len(topics.rules())
    again = [pipeline.read(text) for text in texts]
    assert np.allclose([one.sentiment for one in plain], [one.sentiment for one in again])
    assert [one.intent for one in plain] == [one.intent for one in again]


def test_two_characters_lead_only_where_the_model_is_not_sure() -> None:
    hit = [(0, 2, topics.Rule("app", "数币"))]
    assert topics.led(hit, is_sure=True) == ""
    assert topics.led(hit, is_sure=False) == "app"
    assert topics.led([*hit, (5, 7, topics.Rule("app", "数币"))], is_sure=True) == "app"


def test_an_own_term_is_written_as_clean_texts_are() -> None:
    topics.use([("ＡＩ通話助手", "value_added", "AI助手"), ("盾", "security", "太短"), ("通通盾", "nowhere", "没有")])
    assert [own.term for own in topics.own_terms()] == ["ai通话助手"]
    assert pipeline.read("AI通话助手自动开通").topics[0].detail == "AI助手"
