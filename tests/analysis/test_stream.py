import io
import json
import tracemalloc

import pytest

from analysis import pipeline, stream
from analysis.stream import Reject


def run(source: bytes, **how: object) -> tuple[list[dict[str, object]], list[Reject], stream.Summary]:
    out, rejects = io.BytesIO(), list[Reject]()
    told = stream.analyse(io.BytesIO(source), out, on_reject=rejects.append, **how)  # type: ignore[arg-type]
    return [json.loads(line) for line in out.getvalue().splitlines()], rejects, told


def line(name: object, text: str) -> bytes:
    return json.dumps({"id": name, "text": text}, ensure_ascii=False).encode() + b"\n"


def test_each_line_gets_the_answer_of_the_contract() -> None:
    answers, rejects, told = run(line("v1", "信号不错但是太贵"))
    assert rejects == []
    assert told == stream.Summary(read=1, rejected=0)
    promised = "id sentiment label confidence topics aspects keywords urgency intent evidence model"
    assert set(answers[0]) >= set(promised.split())
    assert answers[0]["id"] == "v1"


def test_each_line_is_the_readings_document() -> None:
    texts = [
        '信号不错但是太贵"\\',
        "再不处理我就去工信部投诉，扣了300块",
        "",
        "\ud800好",
        "\t\n",
        "流量\u2028太贵" * 900,
    ]
    answers, _, _ = run(b"".join(json.dumps({"id": {"a": [1, None]}, "text": text}).encode() + b"\n" for text in texts))
    expected = [{"id": {"a": [1, None]}, **one.document()} for one in pipeline.read_many(texts)]
    assert answers == json.loads(json.dumps(expected))
    assert [list(answer) for answer in answers] == [list(one) for one in expected]


def test_bad_lines_are_told_by_row_and_the_rest_goes_on() -> None:
    source = (
        b"\xef\xbb\xbf" + line(1, "好") + b"\n" + b'{"id":2}\n' + b"not json\n" + b"\xd6\xd0\xce\xc4\n" + line(6, "差")
    )
    answers, rejects, told = run(source)
    assert [answer["id"] for answer in answers] == [1, 6]
    assert [(one.row, one.code) for one in rejects] == [(3, "no_text"), (4, "not_json"), (5, "not_utf8")]
    assert told == stream.Summary(2, 3)
    assert "第 3 行" in rejects[0].reason


def test_a_line_of_many_megabytes_is_read_at_its_beginning() -> None:
    answers, rejects, _ = run(line("long", "信号太差" * 600_000) + line("next", "好评"))
    assert [answer["id"] for answer in answers] == ["long", "next"]
    assert answers[0]["truncated"] is True
    assert answers[0]["label"] == "negative"
    assert [(one.row, one.code) for one in rejects] == [(1, "cut")]


def test_a_long_line_of_noise_is_rejected_and_the_rest_goes_on() -> None:
    answers, rejects, _ = run(b"x" * (5 << 20) + b"\n" + line(2, "好评"))
    assert [answer["id"] for answer in answers] == [2]
    assert [(one.row, one.code) for one in rejects] == [(1, "too_long")]


def test_deep_nesting_and_surrogates_break_nothing() -> None:
    answers, rejects, _ = run(b"[" * 200_000 + b"\n" + b'{"id":"\\ud800","text":"\\ud800\\u597d"}\n')
    assert [one.code for one in rejects] == ["not_json"]
    assert answers[0]["id"] == "\ud800"


def test_what_is_no_json_number_is_never_answered_with() -> None:
    answers, rejects, _ = run(b'{"id": NaN, "text": "a"}\n{"id": -Infinity, "text": "b"}\n{"id": 1e999, "text": "c"}\n')
    assert [(one.row, one.code) for one in rejects] == [(1, "not_json"), (2, "not_json")]
    assert [answer["id"] for answer in answers] == ["inf"]


def test_order_is_kept_over_several_processes() -> None:
    source = b"".join(line(number, f"第{number}条，信号很差") for number in range(6000))
    seen: list[int] = []
    answers, _, told = run(source, processes=2, only_sentiment=True, on_progress=lambda read, _: seen.append(read))
    assert [answer["id"] for answer in answers] == list(range(6000))
    assert told.read == 6000
    assert seen == sorted(seen)


def test_the_same_texts_give_the_same_bytes_whatever_the_processes() -> None:
    source = b"".join(line(number, f"宽带报修{number % 7}次没人来") for number in range(4500))
    one, many = io.BytesIO(), io.BytesIO()
    stream.analyse(io.BytesIO(source), one, processes=1)
    stream.analyse(io.BytesIO(source), many, processes=2)
    assert one.getvalue() == many.getvalue()


def test_an_unknown_engine_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="没有名为 gpt 的引擎"):
        run(b"", engine="gpt")


def test_snownlp_answers_in_the_same_shape() -> None:
    answers, _, _ = run(line(1, "这个套餐很好，推荐") + line(2, ""), engine="snownlp")
    assert answers[0]["sentiment"] > 0.5  # type: ignore[operator]
    assert answers[1]["label"] == "neutral"


class Endless(io.RawIOBase):
    """A line of so many bytes that never stands in memory whole, then a short one."""

    def __init__(self, start: bytes, size: int, rest: bytes) -> None:
        self.start, self.left, self.rest = start, size, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        if self.start:
            piece, self.start = self.start[: len(view)], self.start[len(view) :]
        elif self.left:
            piece = b"x" * min(len(view), self.left)
            self.left -= len(piece)
        else:
            piece, self.rest = self.rest[: len(view)], self.rest[len(view) :]
        view[: len(piece)] = piece
        return len(piece)


@pytest.mark.parametrize("start", [b'{"id": "big", "text": "', b""])
def test_a_line_of_100_megabytes_takes_no_memory(start: bytes) -> None:
    source = io.BufferedReader(Endless(start, 100 << 20, b'"}\n' + line("next", "信号差")))
    out, rejects = io.BytesIO(), list[Reject]()
    tracemalloc.start()
    stream.analyse(source, out, on_reject=rejects.append, processes=1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert json.loads(out.getvalue().splitlines()[-1])["id"] == "next"
    assert [one.row for one in rejects] == [1]
    assert peak < 40 << 20


def test_control_characters_and_lone_surrogates_are_read_like_any_text() -> None:
    source = '{"id":1,"text":"\x00\x01\x02\x1b[31m信号差"}\n{"id":2,"text":"\\ud83d差"}\n'.encode()
    answers, rejects, _ = run(source)
    assert [answer["id"] for answer in answers] == [1, 2]
    assert rejects == []


def test_the_sentiment_alone_is_the_sentiment_of_the_full_reading() -> None:
    source = line(1, "信号不错但是太贵") + line(2, "请问怎么退订") + line(3, "")
    full, _, _ = run(source)
    alone, _, _ = run(source, only_sentiment=True)
    assert alone == [{"id": answer["id"], "sentiment": answer["sentiment"]} for answer in full]
