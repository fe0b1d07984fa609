"""What was said, cut into pieces: every letter once, marks where they belong."""

from hypothesis import given
from hypothesis import strategies as st

from experience.organisation.permissions import ACTS
from experience.web.saying import Piece, aspect, limit, pieces
from experience.web.words import ROOMS

SPANS = st.lists(
    st.builds(
        lambda start, length, weight: {"start": start, "end": start + length, "weight": weight},
        st.integers(-5, 60), st.integers(0, 20), st.floats(-1, 1),
    )
)  # fmt: skip


@given(st.text(max_size=60), SPANS, st.lists(st.text(max_size=3), max_size=3))
def test_the_pieces_are_the_text(text: str, spans: list[dict[str, float]], terms: list[str]) -> None:
    assert "".join(piece.text for piece in pieces(text, spans, terms)) == text


def test_an_aspect_is_called_as_people_write_it() -> None:
    assert [aspect(name) for name in ("app", "资费", "")] == ["App", "资费", ""]


def test_words_for_and_against_are_told_apart_and_weak_ones_marked_so() -> None:
    spans = [{"start": 0, "end": 2, "weight": -0.9}, {"start": 4, "end": 6, "weight": 0.4}]
    assert pieces("气死一直还行", spans) == [
        Piece("气死", "against"),
        Piece("一直"),
        Piece("还行", "for", is_weak=True),
    ]


def test_evidence_that_hardly_counts_is_not_shown() -> None:
    spans = [{"start": 0, "end": 2, "weight": -0.9}, {"start": 2, "end": 4, "weight": 0.1}]
    assert [piece.kind for piece in pieces("气死您好", spans)] == ["against", ""]


def test_a_word_searched_for_is_never_hidden_by_evidence() -> None:
    spans = [{"start": 0, "end": 6, "weight": -0.9}]
    assert pieces("充值不到账啊", spans, ["到账"])[1] == Piece("到账", "hit")


def test_markup_in_a_text_stays_text() -> None:
    assert "".join(p.text for p in pieces("<script>alert(1)</script>", [], ["script"])) == "<script>alert(1)</script>"


def test_an_unknown_limit_is_shown_as_it_is() -> None:
    assert limit("soon") == "soon"


def test_every_room_a_token_may_be_narrowed_to_has_a_name() -> None:
    assert sorted({act.partition(".")[0] for act in ACTS} - ROOMS.keys()) == []
