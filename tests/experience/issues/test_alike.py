"""Similar issues: found by what they tell, not by their place alone; within the scope; open ones offered to join."""

from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from experience.issues import kinship, queries
from experience.issues.operations import IssueIn, change, join, raise_issue, solve, word_next
from experience.issues.tables import Issue, IssueWords
from experience.organisation.permissions import SYSTEM
from experience.voices import operations
from experience.voices.intake import VoiceIn
from tests.people import build_house


def made(session: Session, now: datetime, title: str, *said: str, province: str = "guangdong") -> Issue:
    told = [VoiceIn(words, "hotline", province=province, touchpoint="web.recharge") for words in said]
    voices = [operations.hear(session, SYSTEM, one, now=now) for one in told]
    if voices:
        operations.read_now(session, voices, now=now)
    raised = IssueIn(title, 3, province=province, voices=[voice.id or 0 for voice in voices])
    return raise_issue(session, SYSTEM, raised, now=now)


def settle(session: Session, now: datetime) -> None:
    while word_next(session, now):
        pass


def titles(found: list[queries.Alike]) -> list[str]:
    return [one.issue.title for one in found]


def test_what_tells_the_same_comes_first_with_the_words_it_shares(session: Session, now: datetime) -> None:
    past = made(session, now, "网厅电子发票收不到邮件", "电子发票开了邮箱一直收不到")
    made(session, now, "宽带装机师傅爽约", "约好装机师傅没来")
    issue = made(session, now, "开具电子发票后邮箱没收到", "发票没有发到邮箱")
    settle(session, now)
    solve(session, SYSTEM, past.code, "重置邮件网关", now=now)
    settle(session, now)
    first = queries.alike(session, SYSTEM, issue)[0]
    assert first.issue.code == past.code
    assert "电子发票" in first.shared or "发票" in first.shared
    assert 0.12 <= first.likeness <= 1


def test_an_issue_whose_words_were_not_made_yet_finds_the_same(session: Session, now: datetime) -> None:
    past = made(session, now, "网厅电子发票收不到邮件")
    settle(session, now)
    issue = made(session, now, "电子发票邮件收不到")
    assert titles(queries.alike(session, SYSTEM, issue))[0] == past.title


def test_what_the_voices_say_counts_where_the_titles_differ(session: Session, now: datetime) -> None:
    said = ("副卡解绑一直失败，页面转圈", "副卡解绑不了，点了没反应", "解绑副卡总是提示失败")
    past = made(session, now, "线上业务办理异常", *said)
    made(session, now, "营业厅排队太久", "排队两个小时")
    settle(session, now)
    found = queries.suggestions(session, SYSTEM, "副卡解绑失败")
    assert titles(found) == [past.title]


def test_only_open_issues_are_offered_to_join(session: Session, now: datetime) -> None:
    closed, still = (made(session, now, f"充值扣款不到账{n}") for n in ("一", "二"))
    solve(session, SYSTEM, closed.code, "补入账", now=now)
    settle(session, now)
    assert titles(queries.suggestions(session, SYSTEM, "充值扣款不到账")) == [still.title]
    assert queries.suggestions(session, SYSTEM, "") == []


def test_the_picked_voices_speak_before_a_title_is_written(session: Session, now: datetime) -> None:
    still = made(session, now, "充值扣款不到账", "充值扣款不到账")
    settle(session, now)
    voice = operations.hear(session, SYSTEM, VoiceIn("充值扣款了话费不到账", "app", province="hunan"), now=now)
    operations.read_now(session, [voice], now=now)
    assert titles(queries.suggestions(session, SYSTEM, "", [voice.id or 0])) == [still.title]


def test_a_province_is_shown_its_own_only(session: Session, now: datetime) -> None:
    house = build_house(session, now)
    made(session, now, "电子发票收不到邮件", province="guangdong")
    own = made(session, now, "电子发票邮件收不到", province="hunan")
    mine = made(session, now, "电子发票的邮件没收到", province="hunan")
    settle(session, now)
    assert titles(queries.alike(session, house.scope("wang"), mine)) == [own.title]
    assert queries.suggestions(session, house.scope("wang"), "电子发票") == []  # does not triage
    assert len(queries.suggestions(session, house.scope("lin"), "电子发票收不到邮件")) == 3


def test_words_follow_a_changed_title_and_new_evidence(session: Session, now: datetime) -> None:
    issue = made(session, now, "线上业务办理异常")
    settle(session, now)
    change(session, SYSTEM, issue.code, {"title": "副卡解绑失败"}, version=1, now=now)
    settle(session, now)
    assert "副卡" in session.get_one(IssueWords, issue.id).words
    voices = [
        operations.hear(session, SYSTEM, VoiceIn(f"国际漫游流量包{end}", "app"), now=now)
        for end in ("打不开", "用不了")
    ]
    operations.read_now(session, voices, now=now)
    join(session, SYSTEM, issue.code, [voice.id or 0 for voice in voices], now=now)
    settle(session, now)
    session.expire_all()
    assert {"流量包", "国际漫游"} & set(session.get_one(IssueWords, issue.id).words)
    assert not word_next(session, now)


def test_the_index_is_asked_and_not_every_issue(session: Session) -> None:
    session.execute(
        text(
            "insert into issue (code, title, summary, state, severity, severity_reason, touchpoint, topic, product, "
            "province, origin, stage, opened_at, close_reason, version) "
            "select 'X' || n, 'x', '', 'open', 3, '', '', '', '', '', 'staff', '', now(), '', 1 "
            "from generate_series(1, 3000) n"
        )
    )
    session.execute(
        text(
            "insert into issue_words (issue_id, words, version, source_id, made_at) "
            "select id, array['w' || id, 'v' || id % 500], 1, 0, now() from issue"
        )
    )
    session.execute(text("set local enable_seqscan = off"))  # so few rows are read faster from end to end
    plan = session.execute(text("explain select issue_id from issue_words where words && array['w7', 'v3']")).scalars()
    assert "ix_issue_words_words" in "\n".join(plan)


def test_stop_words_alone_make_no_kin() -> None:
    assert kinship.words_of("的了是在") == ()
    assert kinship.kin((), {1: ("充值",)}) == []
