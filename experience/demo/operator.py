"""星禾通信, the demo operator: its units, people, journeys, touchpoints and sites, as one setup document.

The company, its people and its figures are invented; provinces are China's 31 provincial divisions on the mainland.
"""

from typing import Any

PASSWORD = "huisheng"  # noqa: S105 - the demo logins are printed on the screen

#: territory code, company name, share of the operator's customers (roughly each province's share of population)
PROVINCES: tuple[tuple[str, str, float], ...] = (
    ("beijing", "北京公司", 1.8), ("tianjin", "天津公司", 1.0), ("hebei", "河北公司", 5.2), ("shanxi", "山西公司", 2.5),
    ("neimenggu", "内蒙古公司", 1.7), ("liaoning", "辽宁公司", 3.0), ("jilin", "吉林公司", 1.7), ("heilongjiang", "黑龙江公司", 2.2),
    ("shanghai", "上海公司", 2.0), ("jiangsu", "江苏公司", 6.0), ("zhejiang", "浙江公司", 5.0), ("anhui", "安徽公司", 4.3),
    ("fujian", "福建公司", 3.0), ("jiangxi", "江西公司", 3.2), ("shandong", "山东公司", 7.2), ("henan", "河南公司", 7.0),
    ("hubei", "湖北公司", 4.1), ("hunan", "湖南公司", 4.7), ("guangdong", "广东公司", 9.2), ("guangxi", "广西公司", 3.5),
    ("hainan", "海南公司", 0.7), ("chongqing", "重庆公司", 2.3), ("sichuan", "四川公司", 5.9), ("guizhou", "贵州公司", 2.7),
    ("yunnan", "云南公司", 3.3), ("xizang", "西藏公司", 0.3), ("shaanxi", "陕西公司", 2.8), ("gansu", "甘肃公司", 1.8),
    ("qinghai", "青海公司", 0.4), ("ningxia", "宁夏公司", 0.5), ("xinjiang", "新疆公司", 1.8),
)  # fmt: skip

BASES = (("video", "视频基地"), ("music", "音乐基地"), ("iot", "物联网基地"), ("online", "在线营销服务基地"))
DEPARTMENTS = (("network", "网络部"), ("service", "客户服务部"), ("market", "市场部"), ("it", "信息技术部"))
#: Provinces whose coordinator, approver and handlers can log in to the demo.
STAFFED = ("guangdong", "hunan", "sichuan", "zhejiang")

#: journey, stage, touchpoint code, name, channel, is it key, steps
TOUCHPOINTS: tuple[tuple[str, str, str, str, str, bool, tuple[str, ...]], ...] = (
    ("充值缴费", "查询", "app.bill", "App 账单查询", "app", False, ("open", "month", "detail")),
    ("充值缴费", "办理", "web.recharge", "网厅充值", "web", True, ("number", "amount", "pay", "done")),
    ("充值缴费", "办理", "app.recharge", "App 充值", "app", True, ("amount", "pay", "done")),
    ("充值缴费", "开票", "web.invoice", "网厅电子发票", "web", False, ("choose", "title", "send")),
    ("套餐变更", "了解", "web.plan_list", "网厅套餐选购", "web", False, ("list", "compare")),
    ("套餐变更", "办理", "app.plan_change", "App 套餐变更", "app", True, ("choose", "confirm", "done")),
    ("宽带装移机", "预约", "web.broadband", "网厅宽带预约", "web", True, ("address", "plan", "time", "done")),
    ("宽带装移机", "上门", "broadband.install", "宽带上门装维", "field", True, ()),
    ("移动上网", "使用", "network.mobile", "移动网络使用", "network", True, ()),
    ("移动上网", "加油", "app.data_pack", "App 流量包订购", "app", False, ("choose", "pay", "done")),
    ("号码服务", "换卡", "app.sim", "App 补换卡", "app", False, ("identity", "address", "done")),
    ("号码服务", "携转", "store.port", "营业厅携号转网", "store", True, ()),
    ("求助投诉", "咨询", "wechat.service", "微信客服", "wechat", False, ("ask", "answer")),
    ("求助投诉", "热线", "hotline.10086", "客服热线", "hotline", True, ("dial", "menu", "agent")),
    ("求助投诉", "到店", "store.counter", "营业厅柜台", "store", False, ()),
)


def document() -> dict[str, Any]:
    """The whole operator as a document of the shape that `huisheng setup` reads."""
    return {"units": _units(), "users": _users(), "touchpoints": _touchpoints(), "sites": _sites()}


def _units() -> list[dict[str, Any]]:
    units: list[dict[str, Any]] = [{"code": "centre", "name": "集团客户体验管理中心", "kind": "centre"}]
    for code, name, _ in PROVINCES:
        units.append(
            {
                "code": code,
                "name": name,
                "kind": "province",
                "parent": "centre",
                "territory": code,
                "internal_review": code in STAFFED[:2],
            }
        )
        units += [
            {"code": f"{code}.{short}", "name": department, "kind": "department", "parent": code}
            for short, department in DEPARTMENTS
        ]
    units += [
        {"code": code, "name": name, "kind": "base", "parent": "centre", "product_line": code} for code, name in BASES
    ]
    return units


#: login, name, unit, roles
_PEOPLE: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("lin", "林晓", "centre", ("triager", "dispatcher", "reviewer")),
    ("tang", "唐书远", "centre", ("leader", "viewer")),
    ("he", "何敏", "centre", ("analyst", "designer")),
    ("ye", "叶知秋", "centre", ("callback",)),
    ("admin", "系统管理员", "centre", ("admin",)),
    ("privacy", "方正", "centre", ("privacy",)),
    ("zhou", "周海", "guangdong", ("coordinator",)),
    ("liang", "梁敏仪", "guangdong", ("approver",)),
    ("chenbo", "陈博", "guangdong.network", ("handler",)),
    ("huangli", "黄丽", "guangdong.service", ("handler",)),
    ("wang", "王岳", "hunan", ("coordinator", "approver")),
    ("peng", "彭涛", "hunan.network", ("handler",)),
    ("luo", "罗静", "sichuan", ("coordinator", "approver")),
    ("shen", "沈一鸣", "zhejiang", ("coordinator", "approver")),
    ("wu", "吴桐", "video", ("coordinator", "handler")),
)
#: unit -> (who coordinates, who approves) where that is a named person; elsewhere it is the unit's desk.
NAMED = {
    "guangdong": ("zhou", "liang"),
    "hunan": ("wang", "wang"),
    "sichuan": ("luo", "luo"),
    "zhejiang": ("shen", "shen"),
    "video": ("wu", "wu"),
}
#: department -> its handler; elsewhere the province's coordinator does the department's part.
HANDLERS = {"guangdong.network": "chenbo", "guangdong.service": "huangli", "hunan.network": "peng"}
#: What each printed demo login is for.
LOGINS = (
    ("lin", "集团体验中心 · 研判、派单、核验"),
    ("tang", "集团体验中心 · 领导"),
    ("he", "集团体验中心 · 分析、问卷设计"),
    ("ye", "集团体验中心 · 回访"),
    ("zhou", "广东公司 · 工单协调"),
    ("liang", "广东公司 · 省内审核"),
    ("chenbo", "广东公司网络部 · 处理"),
    ("wang", "湖南公司 · 工单协调"),
    ("wu", "视频基地 · 工单协调"),
    ("admin", "系统管理"),
)


def _users() -> list[dict[str, Any]]:
    named = [
        {"login": login, "name": name, "unit": unit, "roles": list(roles), "password": PASSWORD}
        for login, name, unit, roles in _PEOPLE
    ]
    desks = [(code, name.removesuffix("公司")) for code, name, _ in PROVINCES if code not in STAFFED]
    desks += [(code, name) for code, name in BASES if code != "video"]
    others = [
        {"login": f"{code}.desk", "name": f"{name}工单席", "unit": code, "roles": ["coordinator", "approver"]}
        for code, name in desks
    ]
    return named + others


def _touchpoints() -> list[dict[str, Any]]:
    return [
        {
            "code": code,
            "name": name,
            "channel": channel,
            "journey": journey,
            "stage": stage,
            "key": is_key,
            "steps": list(steps),
        }
        for journey, stage, code, name, channel, is_key, steps in TOUCHPOINTS
    ]


def _sites() -> list[dict[str, Any]]:
    return [
        {
            "key": "site_demo",
            "name": "星禾网上营业厅",
            "origins": ["http://127.0.0.1:8000", "http://localhost:8000"],
            "secret": "demo-hall-signs-its-customers",
        },
        {
            "key": "site_app",
            "name": "星禾 App H5",
            "origins": ["https://m.xinghe.example"],
            "secret": "demo-app-signs-its-customers",
        },
    ]
