from analysis import normalise, segment, similar, summary

SAME = [
    "充值一百块两个小时没到账，急死人了",
    "充值一百块两个小时没到账，急死人了！",
    "充值一百块两个小时没到账，急死人了。。",
]


def test_near_duplicates_fold_to_the_first() -> None:
    marks = [(number, normalise.fingerprint(text)) for number, text in enumerate([*SAME, "宽带师傅态度很好"], start=1)]
    assert similar.folded(marks) == {1: 1, 2: 1, 3: 1, 4: 4}


def test_empty_texts_are_not_each_others_duplicates() -> None:
    assert similar.folded([(1, 0), (2, 0)]) == {1: 1, 2: 2}


def test_bits_in_any_band_fold() -> None:
    mark = 0x1234_5678_9ABC_DEF0
    far = mark ^ (1 | 1 << 20 | 1 << 40)
    assert similar.folded([(1, mark), (2, far), (3, mark ^ 0xF)]) == {1: 1, 2: 1, 3: 3}


def test_the_likest_past_text_talks_of_the_same_thing() -> None:
    past = {
        1: segment.tokens("营业厅排队太久，叫号等了两个小时"),
        2: segment.tokens("充值失败，钱扣了话费没到账"),
    }
    found = similar.likest(segment.tokens("充值之后话费一直没到账"), past)
    assert [name for name, _ in found][:1] == [2]


def test_a_summary_is_made_of_the_customers_own_masked_words() -> None:
    texts = [f"我的号码1381234{n}，充值之后话费没到账。还有别的事。" for n in range(5670, 5680)]
    texts.append("营业厅的椅子有点硬。")
    chosen = summary.summary(texts, most=1)
    assert len(chosen) == 1
    assert "没到账" in chosen[0]
    assert "1381234567" not in chosen[0]
    assert summary.summary([]) == []
