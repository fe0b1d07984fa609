"""Which column of a file is which field of a voice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experience.ground.errors import Invalid
from experience.ground.i18n import say

#: field -> headers it goes by, compared without case, spaces and brackets.
HEADERS: dict[str, tuple[str, ...]] = {
    "text": (
        *("text", "内容", "原声", "客户原声", "反馈内容", "意见", "意见内容", "评论", "评论内容", "投诉内容", "吐槽"),
        *(
            "吐槽内容",
            "工单内容",
            "问题描述",
            "描述",
            "正文",
            "诉求内容",
            "content",
            "comment",
            "feedback",
            "message",
            "review",
        ),
    ),
    "source": ("source", "来源", "渠道", "反馈渠道", "来源渠道", "反馈来源", "采集方式", "channel", "method"),
    "at": (
        *("at", "时间", "日期", "反馈时间", "创建时间", "受理时间", "发布时间", "发表时间", "投诉时间", "提交时间"),
        *("time", "date", "datetime", "createdat", "created", "timestamp"),
    ),
    "touchpoint": ("touchpoint", "触点", "触点代码", "触点编码", "体验触点"),
    "province": ("province", "省份", "省", "省分", "归属省", "所属省份", "省公司", "地区", "区域"),
    "product": ("product", "产品", "产品名称", "业务", "业务类型", "产品线"),
    "external_id": (
        *("externalid", "id", "编号", "工单号", "工单编号", "流水号", "投诉编号", "受理号", "受理编号", "唯一标识"),
        *("消息id", "评论id", "uid"),
    ),
    "customer": (
        "customer",
        "客户",
        "客户编号",
        "客户标识",
        "客户id",
        "用户id",
        "用户编号",
        "customerid",
        "customerref",
    ),
    "mood": ("mood", "心情", "情绪", "心情分"),
}
_BY_HEADER = {header: field for field, headers in HEADERS.items() for header in headers}
_DROPPED = str.maketrans("", "", " \t\u3000_-（）()：:*＊\ufeff")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field stands, and the headers nobody knew."""

    places: Mapping[str, int]
    unknown: Sequence[str]


def recognised(header: str) -> str:
    """The field a header names, or ''."""
    return _BY_HEADER.get(header.lower().translate(_DROPPED), "")


def mapping(pairs: Sequence[str]) -> dict[str, str]:
    """`("反馈=text", "单号=external_id")` as header -> field. Raises Invalid for anything else."""
    made: dict[str, str] = {}
    for pair in pairs:
        header, equals, field = pair.partition("=")
        if not equals or not header.strip():
            raise Invalid(say("列对应要写成“文件里的列名=字段”。"))
        made[header.strip()] = field.strip()
    return made


def placed(headers: Sequence[str], given: Mapping[str, str]) -> Columns:
    """The columns of a file with these headers; what `given` says wins over what is recognised.

    Raises Invalid when `given` names a column the file lacks, or when no column holds the text.
    """
    plain = [header.strip().lstrip("\ufeff") for header in headers]
    given = dict(_the_right_way(header, field) for header, field in given.items())
    absent = [header for header in given if header not in plain]
    if absent:
        raise Invalid(
            say("文件里没有“%(header)s”这一列，现有：%(headers)s", header=absent[0], headers="、".join(plain))
        )
    places: dict[str, int] = {given[header]: plain.index(header) for header in given}
    unknown = []
    for place, header in enumerate(plain):
        field = recognised(header)
        if header in given:
            continue
        if field and field not in places:
            places[field] = place
        elif header:
            unknown.append(header)
    if "text" not in places:
        raise Invalid(
            say(
                "没有认出哪一列是客户说的话，请用 --map 列名=text 指明。现有：%(headers)s",
                headers="、".join(plain)[:300],
            )
        )
    return Columns(places, unknown)


def _the_right_way(header: str, field: str) -> tuple[str, str]:
    """Header and field, also when they were given the other way round; Invalid when neither names a field."""
    if field in HEADERS:
        return header, field
    if header in HEADERS:
        return field, header
    raise Invalid(say("没有“%(field)s”这个字段，可用的有：%(known)s。", field=field, known="、".join(HEADERS)))
