"""Personal data inside free text: where it stands, and what is shown instead."""

import re
from collections.abc import Callable, Iterator

#: Full-width digits and letters, one for one, so that positions stay the same.
_NARROW = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_NARROW |= {0x3000: " ", 0x2212: "-", 0x2013: "-", 0x2014: "-", 0x00A0: " "}
#: What people put between the digits of a number: blanks, hyphens, dots, zero-width characters.
_GAP = "[-\\s.·_\u200b\u200c\u200d\u2060\ufeff]"
_HOUSE_UNIT = r"(?:号楼|单元|栋|幢|座|室|层|楼|弄|户|号院|号)"


def _keep(head: int, tail: int) -> Callable[[str], str]:
    """A mask that shows the first and last characters of the digits it hides, and nothing between."""

    def hide(found: str) -> str:
        solid = re.sub(_GAP, "", found)
        return solid[:head] + "*" * max(4, len(solid) - head - tail) + solid[len(solid) - tail :]

    return hide


def _phone(found: str) -> str:
    solid = re.sub(_GAP, "", found)[-11:]
    return f"{solid[:3]}****{solid[-4:]}"


def _email(found: str) -> str:
    name, _, host = found.partition("@")
    return f"{name[:1]}***@{host}"


def _spoken(found: str) -> str:
    return found[:3] + "****" + found[-4:]


def _fine_address(found: str) -> str:
    """The street or estate stays (staff must find the cell), the house number goes."""
    first = re.search(r"[0-9A-Za-z一二三四五六七八九十]", found)
    return found[: first.start() if first else 0] + "****"


#: Each group is tried only where its gate finds something; a later pattern never sees what an earlier one took.
_GROUPS: tuple[tuple[re.Pattern[str], tuple[tuple[re.Pattern[str], Callable[[str], str]], ...]], ...] = (
    (
        re.compile("@"),
        ((re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}"), _email),),
    ),
    (
        re.compile(rf"[0-9](?:{_GAP}?[0-9]){{8}}"),
        (
            (
                re.compile(rf"(?<![0-9])[1-9][0-9]{{5}}(?:{_GAP}?[0-9]){{11}}{_GAP}?[0-9Xx](?![0-9])"),
                _keep(3, 2),
            ),
            (re.compile(rf"(?<![0-9])[1-9](?:{_GAP}?[0-9]){{15,18}}(?![0-9])"), _keep(0, 4)),
            (
                re.compile(r"(?<![0-9])[1-9][0-9]{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}(?![0-9])"),
                _keep(3, 2),
            ),
            (
                re.compile(rf"(?<![0-9])(?:(?:\+|00)?86{_GAP}?)?1{_GAP}?[3-9](?:{_GAP}?[0-9]){{9}}(?![0-9])"),
                _phone,
            ),
            (re.compile(r"(?<![0-9])0[1-9][0-9]{1,2}[-\s]?[2-9][0-9]{6,7}(?![0-9])"), _keep(3, 0)),
        ),
    ),
    (
        re.compile("[一幺][三四五六七八九][零〇一幺二三四五六七八九]{9}"),
        ((re.compile("[一幺][三四五六七八九][零〇一幺二三四五六七八九]{9}"), _spoken),),
    ),
    (
        re.compile(r"[0-9A-Za-z一二三四五六七八九十](?:号|栋|幢|座|单元|室|层|楼|弄)"),
        (
            (
                re.compile(
                    r"[一-鿿]{1,6}(?:路|街|大道|巷|胡同|弄堂|村|镇)[0-9A-Za-z]{1,6}(?:-[0-9]{1,5})?"
                    rf"(?:{_HOUSE_UNIT}(?![线楼下])[0-9A-Za-z一二三四五六七八九十-]{{0,8}}){{1,6}}"
                ),
                _fine_address,
            ),
            (
                re.compile(
                    r"(?:花园|小区|公寓|苑|新村|家园|大厦|广场|城|府|园|院|庭|村|里)[0-9A-Za-z一二三四五六七八九十]{1,4}"
                    r"(?:栋|幢|座|号楼|号)(?:[0-9A-Za-z一二三四五六七八九十-]{1,8}(?:单元|室|层|楼|号|户)?){0,4}"
                ),
                _fine_address,
            ),
        ),
    ),
)


def spots(text: str) -> Iterator[tuple[int, int, str]]:
    """Every piece of personal data as (start, end, what is shown instead), in order, without overlap."""
    narrow = text.translate(_NARROW)
    taken: list[tuple[int, int, str]] = []
    for gate, patterns in _GROUPS:
        if not gate.search(narrow):
            continue
        for pattern, hide in patterns:
            found = [(match.start(), match.end(), hide(match.group())) for match in pattern.finditer(narrow)]
            if found:
                taken += found
                narrow = pattern.sub(lambda match: "\0" * len(match.group()), narrow)
    yield from sorted(taken)


def mask(text: str) -> str:
    """The text with phone, identity-card and bank-card numbers, e-mail and house addresses starred out.

    Masking twice is masking once. Source: phone form 138****0000 by RELIABILITY, PII row.
    """
    pieces: list[str] = []
    at = 0
    for start, end, shown in spots(text):
        pieces += (text[at:start], shown)
        at = end
    return "".join(pieces) + text[at:]
