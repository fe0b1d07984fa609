"""What is found in many texts at once is what is found in each alone."""

from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import aspects, normalise, ordinary, scan, segment, sheet, terms, topics
from analysis.labelled import OWN, voices

MARKS = [
    "\U0001f621",
    "\ud800",
    "\u2028",
    "\t",
    "\0",
    " ",
    "&",
    "<",
    "@",
    "//",
    "www.",
    "(",
    ")",
    "ǎ",
    "①",
    "…",
    "㎡",
    ".",
    "-",
]
WORDS = ["信号", "宽带", "1", "一", "三", "号", "138", "1234", "5678", "客服专员", "网路", "唔", "乜嘢", "啊啊啊啊"]
TRICKY = st.sampled_from(MARKS + WORDS)
ANY = st.lists(
    st.text(alphabet=st.characters(exclude_categories=()), max_size=30) | st.lists(TRICKY, max_size=12).map("".join),
    max_size=6,
)


def own() -> list[str]:
    return [row.text for row in voices(OWN)[::3]]


@settings(deadline=None)  # the first cut loads the dictionary
@given(ANY)
def test_cleaning_many_is_cleaning_each(texts: list[str]) -> None:
    for together, alone in zip(ordinary.clean(texts), map(normalise.clean, texts), strict=True):
        assert (together.text, list(together.starts), together.stop) == (alone.text, list(alone.starts), alone.stop)


def test_cleaning_the_products_own_voices_together_is_cleaning_each() -> None:
    assert [one.text for one in ordinary.clean(own())] == [normalise.clean(text).text for text in own()]


@settings(deadline=None)  # the first cut loads the dictionary
@given(ANY)
def test_words_cut_together_are_the_words_cut_alone(texts: list[str]) -> None:
    plain = [normalise.clean(text).text for text in texts]
    cut = sheet.cut(sheet.laid(plain))
    rows = zip(cut.begins.tolist(), cut.stops.tolist(), strict=True)
    assert [cut.words[begin:stop] for begin, stop in rows] == [segment.cut(text) for text in plain]


def test_terms_found_together_are_the_terms_of_each() -> None:
    plain = [one.text for one in ordinary.clean(own())]
    laid = sheet.laid(plain)
    rules, names = scan.topic_terms().find(laid), scan.aspect_terms().find(laid)
    for number, (text, begin) in enumerate(zip(plain, laid.begins.tolist(), strict=True)):
        alone = terms.find(text)
        mine = rules.owners == number
        spans = zip(rules.starts[mine] - begin, rules.ends[mine] - begin, rules.numbers[mine], strict=True)
        assert [(int(start), int(end), int(rule)) for start, end, rule in spans] == alone.topics
        mine = names.owners == number
        told = [scan.aspect_names()[name] for name in names.numbers[mine].tolist()]
        assert told == [name for _, _, name in alone.aspects]


def test_a_term_inside_a_longer_one_does_not_count_and_one_of_two_rules_counts_twice() -> None:
    found = scan.Scan([("套餐", 1), ("套餐外", 2), ("套餐外", 3), ("外流", 4)]).find(sheet.laid(["套餐外流量", "套餐"]))
    spans = zip(found.starts.tolist(), found.ends.tolist(), found.numbers.tolist(), found.owners.tolist(), strict=True)
    assert list(spans) == [(0, 3, 2, 0), (0, 3, 3, 0), (2, 4, 4, 0), (6, 8, 1, 1)]


def test_own_terms_are_found_by_their_place() -> None:
    own_terms = (topics.Own("碰一碰", topics.Rule("app", "碰一碰支付")),)
    assert scan.own_terms(own_terms).find(sheet.laid(["试了碰一碰"])).numbers.tolist() == [0]


def test_every_aspect_has_a_name() -> None:
    assert set(scan.aspect_names()) == aspects.names()
