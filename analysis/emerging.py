"""New topics before they have a name: phrases said more than like periods of the past let expect."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from analysis import keywords, lexicons, normalise, segment, series

#: A phrase is at most so many words and characters.
_WORDS, _CHARACTERS = 4, 10
#: Fewer voices than this are chance; less than so many times the expected is a swell, not something new.
LEAST, LIFT = 3, 2.0
#: Rates wander from week to week though nothing happened: by 1/√STEADY (a third) of themselves, however long the past.
STEADY = 10.0
#: A phrase is the same as a longer one that holds it when it is hardly ever said without it.
_SAME = 0.7
#: A character belongs to a word when it stands beside its piece this often.
_ALWAYS = 0.8
_GROWTH = 2
#: A single character ends a phrase only where it stands in it this often: 盾 in 通通盾, but not 才 in 欠费才.
_STICKS = 0.5
#: What says nothing at either end of a phrase, though it may stand inside one.
_HOLLOW = frozenset(
    "的了是我你您他她它们在有就不没也都还很太把被给让和跟与或这那个些吗呢吧啊呀么去来到说要会能想用上下里外前后多少大小好得地着过只"
    "再又从对为以因而但所等每各某已该此其之人时天月日年号点分块元次条张件位家种本请问叫做将可应当最更比像如"
)
_NUMERAL = re.compile(
    r"[第约近]?[\d一二三四五六七八九十百千万亿两几半零〇.,:/%-]+[个月日号年天次点分元块条张周星期时钟秒岁kmgbwh毛角多来余]*"
)
#: What is told from a figure by its letters.
_GENERATIONS = frozenset({"3g", "4g", "5g", "5ga", "6g"})
_DAY = re.compile(r"(?:星期|周|礼拜)[一二三四五六日天末]|[上下本这]个?[周月]|[今昨明前后]天|[早晚中上下][上午晚]")
_PERSON = re.compile(r".{1,2}(?:先生|女士|小姐|师傅|经理|主任|老师)")
_PLACES = frozenset(
    re.findall(
        "..",
        "北京天津上海重庆河北山西辽宁吉林江苏浙江安徽福建江西山东河南湖北湖南广东海南四川贵州云南陕西甘肃青海台湾广西西藏宁夏新疆香港澳门中国"
        "全国",
    )
) | {"黑龙江", "内蒙古"}


@dataclass(frozen=True, slots=True)
class Period:
    """How many voices of a period hold each phrase, and how many voices it has."""

    voices: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Alarm:
    """A phrase said too often: in how many voices, how many its past lets expect, and the chance of so many or more.

    `q` is the share of false alarms among those told down to this one (Benjamini–Hochberg); `history` the counts of
    the past periods, oldest first.
    """

    phrase: str
    count: int
    expected: float
    chance: float
    q: float
    history: tuple[int, ...]

    @property
    def lift(self) -> float:
        """How many times the expected count was seen."""
        return self.count / self.expected

    @property
    def is_new(self) -> bool:
        """Whether it was never said in the past looked at."""
        return not any(self.history)


@dataclass(frozen=True, slots=True)
class Emerging:
    """An alarm with what explains it: the words said together with it, and the places of voices that hold it."""

    alarm: Alarm
    together: tuple[str, ...]
    voices: tuple[int, ...]


def cut(text: str) -> list[str]:
    """The words of a text as `phrases` wants them: clean, in order, marks kept because no phrase goes over them."""
    return segment.cut(normalise.clean(text).text)


def phrases(words: Sequence[str], *, is_whole: bool = False) -> set[str]:
    """The words and runs of words of a text that may name something; figures, dates, people and places are none.

    With `is_whole`, none that begins or ends with a word of one character.
    """
    found: set[str] = set()
    for run in _runs(words):
        for start, first in enumerate(run):
            if _is_hollow(first):
                continue
            for stop in range(start + 1, min(start + _WORDS, len(run)) + 1):
                phrase = "".join(run[start:stop])
                if len(phrase) > _CHARACTERS:
                    break
                if len(phrase) > 1 and not _is_hollow(run[stop - 1]) and min(len(first), len(run[stop - 1])) > is_whole:
                    found.add(phrase)
    return found


def _runs(words: Sequence[str]) -> Iterator[list[str]]:
    """Words that follow one another without a mark, a figure, a date, a person or a place between."""
    run: list[str] = []
    for word in words:
        if word.isalnum() and not _is_barred(word):
            run.append(word)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _is_barred(word: str) -> bool:
    if word in _GENERATIONS:
        return False
    return word in _PLACES or any(kind.fullmatch(word) for kind in (_NUMERAL, _DAY, _PERSON))


def _is_hollow(word: str) -> bool:
    return word in _HOLLOW if len(word) == 1 else not keywords.weight(word)


def alarms(now: Period, past: Sequence[Period], *, false_share: float = series.FALSE_SHARE) -> list[Alarm]:
    """The phrases of `now` that like periods of the past do not let expect, most surprising first.

    A gamma-Poisson tail for each phrase by its rate per voice; corrected for every phrase seen now or before. Log-odds
    raise no alarm: they catch 5–7 % of new words where the tail catches 93 %.
    """
    if not past:
        return []
    return _alarms(now, past, len(set(now.counts).union(*(one.counts for one in past))), false_share)


def _alarms(now: Period, past: Sequence[Period], seen: int, false_share: float) -> list[Alarm]:
    if not now.voices:
        return []
    ratio = sum(one.voices for one in past) / now.voices
    looked = []
    for phrase, count in now.counts.items():
        if count < LEAST:
            continue
        history = tuple(one.counts.get(phrase, 0) for one in past)
        chance = series.gamma_poisson_tail(count, history, past_exposure=ratio, steady=STEADY)
        looked.append(Alarm(phrase, count, series.expected(history, past_exposure=ratio), chance, 1.0, history))
    looked.sort(key=lambda one: (one.chance, -one.count, one.phrase))
    told = []
    q = 1.0
    for place in range(len(looked), 0, -1):
        one = looked[place - 1]
        q = min(q, one.chance * seen / place)
        if q <= false_share and one.lift >= LIFT:
            told.append(Alarm(one.phrase, one.count, one.expected, one.chance, q, one.history))
    return told[::-1]


def folded(told: Sequence[Alarm]) -> list[Alarm]:
    """The alarms without those that only repeat another by their words.

    Such are a piece of a longer phrase, and a longer phrase of a word that is as surprising and said elsewhere too.
    """
    return [one for one in told if not any(_is_told_by(one, other) for other in told if other is not one)]


def _is_told_by(one: Alarm, other: Alarm) -> bool:
    if one.phrase in other.phrase:
        return other.count >= _SAME * one.count
    if other.phrase in one.phrase:
        return one.count < _SAME * other.count and other.lift >= one.lift / 2
    return False


def grown(phrase: str, texts: Sequence[str]) -> str:
    """The whole of what a phrase is a piece of: a new word is cut now here, now there (碰一 · 碰, 碰 · 一碰).

    A phrase of known words is whole. Another grows by the character that stands beside it in nearly all the texts,
    never by a hollow one; what would grow by more than two, or stands between the same two characters, is a piece of a
    stock sentence and no word: "".
    """
    if _is_known(phrase):
        return phrase
    for _ in range(_GROWTH + 1):
        sides = _always_beside(phrase, texts, after=False), _always_beside(phrase, texts, after=True)
        before, after = ("" if side in _HOLLOW or side.isdecimal() else side for side in sides)
        if not (before or after):
            return "" if all(sides) else phrase
        phrase = phrase + after if after else before + phrase
    return ""


def _is_known(phrase: str) -> bool:
    """Whether a phrase is made of words of the dictionary, none of them a single character."""
    known = lexicons.table("idf.tsv")
    pieces = segment.cut(phrase)
    return all(len(piece) > 1 and (piece in known or piece in segment.shipped_words()) for piece in pieces)


def _always_beside(phrase: str, texts: Sequence[str], *, after: bool) -> str:
    """The letter that stands before or after the phrase in nearly all the texts, or ""."""
    beside: Counter[str] = Counter()
    for text in texts:
        at = text.find(phrase)
        edge = at + len(phrase) if after else at - 1
        if at >= 0 and 0 <= edge < len(text):
            beside[text[edge]] += 1
    character, count = beside.most_common(1)[0] if beside else ("", 0)
    return character if character.isalnum() and count >= max(2, _ALWAYS * len(texts)) else ""


def emerging(
    now: Sequence[Sequence[str]], past: Sequence[Sequence[Sequence[str]]], *, most: int = 30, examples: int = 5
) -> list[Emerging]:
    """What is suddenly spoken of in the segmented voices of a period, against like periods of the past, oldest first.

    A text said again word for word counts once. `voices` are places in `now`, those of a good length first.
    """
    if not past:
        return []
    present, before = _Texts(now), [_Texts(texts) for texts in past]
    told = _alarms(present.period(), [one.period() for one in before], _seen([present, *before]), series.FALSE_SHARE)
    whole: dict[str, Alarm] = {}
    for alarm in told[: 3 * most]:
        phrase = grown(alarm.phrase, [present.texts[place] for place in present.holders[alarm.phrase]])
        if phrase and phrase not in whole and _sticks(phrase, present):
            whole[phrase] = _counted(alarm, phrase, present, before)
    everywhere = Counter(word for words in now for word in set(words))
    found = []
    for alarm, holders in _told_apart(folded(list(whole.values())), present)[:most]:
        places = sorted(holders, key=lambda place: (_length(present.texts[place]), place))
        found.append(Emerging(alarm, _together(alarm.phrase, places, now, everywhere), tuple(places[:examples])))
    return found


def _told_apart(told: Sequence[Alarm], present: "_Texts") -> list[tuple[Alarm, set[int]]]:
    """The alarms with the places that hold them, without those said nearly only where a surer one is said too."""
    kept: list[tuple[Alarm, set[int]]] = []
    for alarm in told:
        places = set(present.with_string(alarm.phrase))
        if not any(len(places & others) >= _SAME * len(places) for _, others in kept):
            kept.append((alarm, places))
    return kept


def _sticks(phrase: str, present: "_Texts") -> bool:
    """Whether the single characters at the phrase's ends belong to it."""
    pieces = segment.cut(phrase)
    edges = {piece for piece in (pieces[0], pieces[-1]) if len(piece) == 1}
    count = len(present.with_string(phrase))
    return all(count >= _STICKS * len(present.with_string(edge)) for edge in edges)


class _Texts:
    """The distinct texts of a period by the place they are first said at, and the places that hold each phrase."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        first: dict[str, int] = {}
        for place, words in enumerate(texts):
            first.setdefault("".join(words), place)
        self.texts = {place: text for text, place in first.items()}
        self.holders: dict[str, list[int]] = {}
        for place in self.texts:
            for phrase in phrases(texts[place]):
                self.holders.setdefault(phrase, []).append(place)

    def period(self) -> Period:
        return Period(len(self.texts), {phrase: len(places) for phrase, places in self.holders.items()})

    def with_string(self, phrase: str) -> list[int]:
        """The places of texts that hold the characters, however they are cut."""
        return [place for place, text in self.texts.items() if phrase in text]


def _seen(periods: Sequence[_Texts]) -> int:
    return len(set().union(*(one.holders for one in periods)))


def _counted(alarm: Alarm, phrase: str, present: _Texts, before: Sequence[_Texts]) -> Alarm:
    """The alarm of the whole phrase, counted by its characters; it is as sure as its piece's."""
    history = tuple(len(one.with_string(phrase)) for one in before)
    ratio = sum(len(one.texts) for one in before) / len(present.texts)
    usual = series.expected(history, past_exposure=ratio)
    return Alarm(phrase, len(present.with_string(phrase)), usual, alarm.chance, alarm.q, history)


def _length(text: str) -> float:
    """How far a text is from a good example's length, about thirty characters."""
    return abs(math.log((len(text) + 1) / 30))


def _together(
    phrase: str, places: Sequence[int], texts: Sequence[Sequence[str]], everywhere: Mapping[str, int]
) -> tuple[str, ...]:
    """The words that set the voices with the phrase apart from the other voices of the period (log-odds)."""
    here = Counter(word for place in places for word in set(texts[place]))
    there = {word: everywhere[word] - count for word, count in here.items()}
    there |= {word: count for word, count in everywhere.items() if word not in here}
    scored = series.telling_words(here, there, most=12)
    telling = [word for word, z in scored if z > 1 and keywords.weight(word) and here[word] > 1]
    return tuple(word for word in telling if _is_known(word) and word not in phrase and phrase not in word)[:4]
