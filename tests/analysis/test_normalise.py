import pytest
from hypothesis import given
from hypothesis import strategies as st
from opencc import OpenCC

from analysis import normalise
from analysis.labelled import OWN, voices

ANY = st.text(alphabet=st.characters(exclude_categories=()), max_size=200)


@given(ANY)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = normalise.clean(text).text
    assert normalise.clean(once).text == once


@given(ANY)
def test_every_clean_character_comes_from_somewhere_in_the_original(text: str) -> None:
    clean = normalise.clean(text)
    assert len(clean.starts) == len(clean.text)
    for at in range(len(clean.text)):
        start, end = clean.span(at, at + 1)
        assert 0 <= start < end <= len(text)


@given(ANY)
def test_masking_twice_is_masking_once(text: str) -> None:
    once = normalise.mask(text)
    assert normalise.mask(once) == once


@pytest.mark.parametrize(
    ("written", "hidden"),
    [
        ("打我13812345678", "13812345678"),
        ("打我138-1234-5678", "1234"),
        ("打我１３８ １２３４ ５６７８吧", "１２３４"),
        ("+86 13812345678", "13812345678"),
        ("号码138.1234.5678", "1234"),
        ("身份证11010519491231002X", "19491231"),
        ("身份證110105 19491231 0021", "19491231"),
        ("卡号6222 0212 3456 7890 123", "0212"),
        ("发到li.wei@example.com.cn", "li.wei"),
        ("家住东风路87号院5-302", "302"),
        ("恒泰花园3栋1单元1602室", "1602"),
        ("座机0571-87654321", "87654321"),
    ],
)
def test_personal_data_is_hidden(written: str, hidden: str) -> None:
    assert hidden not in normalise.mask(written)
    assert hidden not in normalise.clean(written).text


@pytest.mark.parametrize(
    "number", ["10086", "12315", "1008611", "4G", "129元", "2024041700356", "95598", "2024年5月17日"]
)
def test_service_numbers_and_sums_stay(number: str) -> None:
    assert number in normalise.mask(f"打{number}问")


def test_a_phone_shows_three_and_four_digits() -> None:
    assert normalise.mask("13812345678") == "138****5678"


def test_markup_links_and_mentions_go_but_calls_to_regulators_stay() -> None:
    text = normalise.clean('<p onclick="x">你好&amp;再见</p> http://a.cn/x @张三 @工信部 管不管').text
    assert text == "你好&再见 @工信部 管不管"


def test_pinyin_in_brackets_goes() -> None:
    assert normalise.clean("數(shù)據(jù)不好").text == "数据不好"
    assert normalise.clean("套餐(app)办理").text == "套餐(app)办理"


def test_runs_are_squeezed_and_emoji_are_words() -> None:
    assert normalise.clean("好好好好好好！！！！！😡").text == "好好好!!![怒]"


def test_traditional_text_becomes_the_simplified_text() -> None:
    to_traditional = OpenCC("s2t").convert
    same = total = 0
    for row in voices(OWN)[::5]:
        total += 1
        same += normalise.clean(to_traditional(row.text)).text == normalise.clean(row.text).text
    assert same / total > 0.97


def test_a_long_text_is_read_at_both_ends() -> None:
    clean = normalise.clean("开头" + "中" * 500 + "话" * 99_000 + "结尾")
    assert clean.text.startswith("开头")
    assert clean.text.endswith("结尾")
    assert len(clean.text) <= normalise.HEAD + normalise.TAIL


def test_near_duplicates_have_near_fingerprints() -> None:
    one = "昨天在建设路营业厅排队排了两个小时，工作人员态度很差，要求道歉并说明原因"
    near = "昨天在建设路营业厅排队排了两个小时，工作人员态度很差，要求道歉并说明原因！！"
    far = "宽带师傅上门很快，修好了还给我们讲了怎么用路由器，好评"
    assert normalise.fingerprint(one) == normalise.fingerprint(near)
    assert (normalise.fingerprint(one) ^ normalise.fingerprint(far)).bit_count() > 10
    assert normalise.fingerprint("") == 0


@given(ANY)
def test_a_fingerprint_fits_a_signed_big_integer(text: str) -> None:
    assert 0 <= normalise.fingerprint(text) < 2**63


def test_the_fingerprint_never_changes_between_releases() -> None:
    assert normalise.fingerprint("信号不错但是太贵") == normalise.fingerprint("信號不錯但是太貴")
