"""The widget as pages load it, with its styles and words, at most 15 KiB."""

from surveys.web import bundle

BUDGET = 15 * 1024


def test_the_widget_with_styles_and_words_travels_in_fifteen_kibibytes() -> None:
    assert len(bundle.widget().gzipped) <= BUDGET


def test_the_widget_is_there_under_its_name() -> None:
    text = bundle.widget().text.decode()
    assert "window.hsSurvey=" in text
    assert "满意" in text
