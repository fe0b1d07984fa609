"""The correction queue and the model pages: blind where chance chose, one card after the other, refusals told."""

from typing import Any

import pytest
from sqlmodel import select

from experience.ground.store import transaction
from experience.learning.tables import Correction, QueueItem, TrainingRun
from experience.readers import queries as readers
from experience.voices.tables import Reading
from tests.experience.web.staff import Office
from tests.experience.web.test_voices_pages import say

SAID = ("充值扣了钱不到账，太失望了", "请问营业厅几点关门", "宽带师傅很专业，点赞")
RIGHT = {"label": "negative", "topic": "billing", "intent": "complaint"}


@pytest.fixture
def queued(office: Office) -> list[int]:
    """Three voices in the queue: a hard one, a random one, one SnowNLP disagrees on."""
    ids = say(office, *SAID)
    origins = (("queue_margin", ""), ("queue_random", ""), ("queue_disagreement", "snownlp:negative"))
    with transaction(office.engine) as session:
        for voice_id, (origin, why) in zip(ids, origins, strict=True):
            is_random = origin == "queue_random"
            item: dict[str, Any] = {
                "voice_id": voice_id,
                "origin": origin,
                "is_random": is_random,
                "why": why,
                "added_at": office.now,
            }
            session.add(QueueItem(**item))
            session.flush()
    return ids


def judged(office: Office, voice_id: int) -> Correction:
    with transaction(office.engine) as session:
        return session.exec(select(Correction).where(Correction.voice_id == voice_id)).one()


def test_the_queue_shows_why_a_voice_is_there_and_what_the_model_said(office: Office, queued: list[int]) -> None:
    html = office.staff("lin").see("/learning/queue")
    assert "最难判" in html
    assert "模型说" in html
    assert f'action="/learning/queue/{queued[0]}"' in html


def test_a_random_voice_is_judged_blind_and_whole(office: Office, queued: list[int]) -> None:
    lin = office.staff("lin")
    lin.send("/learning/queue", f"/learning/queue/{queued[0]}", **RIGHT)
    html = lin.see("/learning/queue")
    card = html[html.index('id="queue-card"') : html.index("fix-topic")]
    assert "随机抽取" in card
    assert "模型说" not in card
    assert "<mark" not in card
    assert "checked" not in card
    assert "selected" not in card
    refused = lin.send("/learning/queue", f"/learning/queue/{queued[1]}", blind="1", label="neutral")
    assert refused.status_code == 422
    lin.send("/learning/queue", f"/learning/queue/{queued[1]}", blind="1", **RIGHT)
    assert (judged(office, queued[1]).label, judged(office, queued[1]).is_random) == ("negative", True)


def test_what_was_left_as_the_model_had_it_counts_as_right(office: Office, queued: list[int]) -> None:
    office.staff("lin").send("/learning/queue", f"/learning/queue/{queued[0]}", **RIGHT | {"topic": "app"})
    kept = judged(office, queued[0])
    assert (kept.label, kept.topic, kept.intent) == ("negative", "app", "complaint")
    assert kept.model_topic == "billing"


def test_the_last_verdict_is_taken_back_and_its_voice_is_next_again(office: Office, queued: list[int]) -> None:
    lin = office.staff("lin")
    lin.send("/learning/queue", f"/learning/queue/{queued[0]}", **RIGHT | {"label": "positive"})
    lin.send("/learning/queue", "/learning/queue/back", back="0")
    assert f'action="/learning/queue/{queued[0]}"' in lin.see("/learning/queue")
    with transaction(office.engine) as session:
        assert session.get_one(Reading, queued[0]).label == "negative"


def test_skipping_goes_on_and_comes_back_from_the_start(office: Office, queued: list[int]) -> None:
    lin = office.staff("lin")
    assert f'action="/learning/queue/{queued[1]}"' in lin.see("/learning/queue?after=1")
    assert "从头看" in lin.see("/learning/queue?after=999")


def test_an_empty_queue_says_so(office: Office) -> None:
    assert "队列空了" in office.staff("lin").see("/learning/queue")


def test_a_verdict_in_the_stream_is_taken_back(office: Office) -> None:
    (voice,) = say(office, SAID[0])
    lin = office.staff("lin")
    lin.send("/voices", f"/voices/{voice}/reading", intent="suggestion")
    assert judged(office, voice).intent == "suggestion"
    lin.send("/voices", f"/voices/{voice}/reading/undo")
    with transaction(office.engine) as session:
        assert session.get_one(Reading, voice).intent == "complaint"
    assert lin.send("/voices", f"/voices/{voice}/reading/undo").status_code == 404


def test_the_model_page_shows_the_shipped_model_with_its_scores(office: Office) -> None:
    html = office.staff("lin").see("/models")
    assert readers.shipped_version() in html
    assert "混淆矩阵" in html
    assert "/models/train" not in html
    assert "/models/train" in office.staff("analyst").see("/models")
    office.staff("analyst").see(f"/models/{readers.shipped_version()}")
    office.staff("analyst").see("/models/none", status=404)


def test_a_training_is_asked_for_once_and_its_progress_shown(office: Office) -> None:
    analyst = office.staff("analyst")
    assert analyst.send("/models", "/models/train").status_code == 303
    assert "正在训练" in analyst.see("/models")
    again = analyst.send("/models", "/models/train")
    assert again.status_code == 409
    assert "已有一次训练在进行" in again.text


def test_the_page_comes_anew_when_the_training_it_watched_has_ended(office: Office) -> None:
    with transaction(office.engine) as session:
        run = TrainingRun(state="failed", asked_at=office.now, finished_at=office.now, failure="训练没有完成：内存不足")
        session.add(run)
        session.flush()
        run_id = run.id
    analyst = office.staff("analyst")
    assert analyst.client.get(f"/models/progress?run={run_id}").headers["HX-Refresh"] == "true"
    assert "HX-Refresh" not in analyst.client.get("/models/progress").headers
    assert "内存不足" in analyst.see("/models")


def test_going_back_from_the_shipped_model_is_refused_with_a_reason(office: Office) -> None:
    refused = office.staff("analyst").send("/models", "/models/back")
    assert refused.status_code == 409
    assert "没有更早的版本" in refused.text


def test_there_is_nothing_to_read_again_while_one_model_read_all(office: Office) -> None:
    say(office, SAID[0])
    refused = office.staff("analyst").send("/models", "/models/reread/start")
    assert refused.status_code == 409
    assert "都已用当前模型" in refused.text
