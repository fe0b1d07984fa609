"""Forms of discovery and of the operator's words."""

from collections.abc import Sequence

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length

from analysis.topics import TOPICS

_LINES = 200_000


def lines(typed: str | None) -> list[str]:
    """What was typed one a line (or parted by blanks and marks), each once."""
    parts = (typed or "").replace("，", "\n").replace("、", "\n").replace(",", "\n").replace("；", "\n").split()
    return list(dict.fromkeys(parts))


def topic_choices(*, first: str = "") -> list[SelectChoice]:
    """The first-level topics to choose from, in the reader's language."""
    return [SelectChoice("", first), *(SelectChoice(code, gettext(name)) for code, name in TOPICS.items())]


class TermsForm(FlaskForm):  # type: ignore[misc]
    """Terms that point to a second-level topic."""

    code = SelectField(_l("一级主题"), [DataRequired(_l("请选择一级主题。"))])
    detail = StringField(
        _l("二级主题"),
        [DataRequired(_l("请给二级主题起个名字。")), Length(max=20)],
        render_kw={"list": "details", "autocomplete": "off", "maxlength": 20},
        description=_l("可以新起，也可以选已有的，词会并到一起。"),
    )
    terms = TextAreaField(
        _l("哪些词指向它（一行一个）"),
        [DataRequired(_l("请至少写一个词。")), Length(max=_LINES)],
        render_kw={"rows": 4},
        description=_l("原声里出现其中任何一个词，就读作这个二级主题。三个字以上的词还会决定一级主题。"),
    )
    rereads = BooleanField(_l("把近 90 天提到这些词的原声重新研读一遍"))

    def wanted(self) -> Sequence[str]:
        """The terms typed."""
        return lines(self.terms.data)


class PromotionForm(TermsForm):
    """What a find becomes."""

    are_words = BooleanField(_l("词典里没有的词同时作为新词，分词和搜索时不再拆开"))


class WordsForm(FlaskForm):  # type: ignore[misc]
    """Words of the operator's own."""

    words = TextAreaField(
        _l("新词（一行一个，可整批粘贴）"),
        [DataRequired(_l("请至少写一个词。")), Length(max=_LINES)],
        render_kw={"rows": 4},
        description=_l("产品名、活动名、App 功能名等。马上生效，不用重启。"),
    )
    note = StringField(_l("备注"), [Length(max=200)], render_kw={"maxlength": 200, "autocomplete": "off"})

    def wanted(self) -> Sequence[str]:
        """The words typed."""
        return lines(self.words.data)
