"""Scripts made small for other people's pages: without blanks and comments, their own names cut to a letter or two."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, product
from string import ascii_letters, ascii_lowercase

from rjsmin import jsmin

#: Strings, regular expressions (after what cannot end a value), words, and all else by the character.
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"'
    r"|'(?:[^'\\]|\\.)*'"
    r"|(?<=[(,=:\[!&|?{};])/(?:[^/\\\n\[]|\\.|\[(?:[^\]\\]|\\.)*\])+/[a-z]*"
    r"|[A-Za-z_$][\w$]*"
    r"|\d+(?:\.\d+)?(?:e\d+)?|."
    r"|\s"
)
_SHORT_WORDS = frozenset({"do", "if", "in", "as", "is", "of"})


def shrink(source: str) -> str:
    """The same program, smaller; `source` is ES5 without templates, strict, all of it inside one function.

    A name is cut only when it is a variable wherever it stands: one that is also a property or a key keeps its letters,
    and so does what is not declared here. The same name becomes the same short one throughout, which nothing
    else is called, so scopes stay as they were.
    """
    tokens = _TOKEN.findall(jsmin(source))
    short = _short(tokens)
    return "".join(short.get(token, token) for token in tokens)


def _short(tokens: list[str]) -> dict[str, str]:
    words = Counter(token for token in tokens if _is_word(token))
    fresh = (name for name in _names() if name not in words and name not in _SHORT_WORDS)
    ours = sorted(_declared(tokens) - _properties(tokens), key=lambda name: (-words[name], name))
    return {name: made for name in ours if len(name) > 2 and len(made := next(fresh)) < len(name)}


def _is_word(token: str) -> bool:
    return token[0].isalpha() or token[0] in "_$"


def _names() -> Iterator[str]:
    return chain(ascii_letters, ("".join(pair) for pair in product(ascii_letters, ascii_lowercase)))


def _declared(tokens: list[str]) -> set[str]:
    """Names of functions, their parameters, caught errors, and every variable that is given a value.

    In a strict script what is assigned to is declared; one that is never assigned stays long, which does no harm.
    """
    found: set[str] = set()
    for place, token in enumerate(tokens):
        before, after = tokens[max(0, place - 2) : place], tokens[place + 1 : place + 3]
        if _is_word(token) and (before == ["function", " "] or _is_given(before, after)):
            found.add(token)
        elif token in ("function", "catch") and before[-1:] != ["."]:
            opening = tokens.index("(", place)
            found |= {word for word in tokens[opening : tokens.index(")", opening)] if _is_word(word)}
    return found


def _is_given(before: list[str], after: list[str]) -> bool:
    return before[-1:] != ["."] and after[:1] == ["="] and after[1:] not in (["="], [">"])


def _properties(tokens: list[str]) -> set[str]:
    """Words that stand after a dot, or as a key before a colon (one after `?` belongs to a choice)."""
    around = zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False)
    return {token for before, token, after in around if before == "." or (after == ":" and before in "{,")}
