"""The small operator and the survey that the journey tests use, in the contract's own shapes."""

from typing import Any

SETUP = """
units:
  - {code: centre, name: 集团客户体验管理中心, kind: centre}
  - {code: guangdong, name: 广东公司, kind: province, parent: centre, territory: guangdong, internal_review: true}
  - {code: hunan, name: 湖南公司, kind: province, parent: centre, territory: hunan}
  - {code: migu, name: 咪咕基地, kind: base, parent: centre, product_line: video}
  - {code: guangdong.network, name: 网络部, kind: department, parent: guangdong}
users:
  - login: lin
    name: 林
    unit: centre
    roles: [triager, dispatcher, reviewer, designer, analyst]
    password: change-me-now
  - {login: zhou, name: 周, unit: guangdong, roles: [coordinator, approver], password: change-me-now}
  - {login: heng, name: 何, unit: guangdong.network, roles: [handler], password: change-me-now}
  - {login: wang, name: 王, unit: hunan, roles: [coordinator], password: change-me-now}
touchpoints:
  - code: web.recharge
    name: 网厅充值
    channel: web
    journey: 充值缴费
    stage: 办理
    key: true
    steps: [amount, pay, done]
sites:
  - {key: site_demo, name: 网上营业厅, origins: ["http://shop.example"], secret: hush}
"""

SURVEY: dict[str, Any] = {
    "schema": "cx-survey/1",
    "title": {"zh-CN": "充值体验"},
    "defaultLang": "zh-CN",
    "privacy": {"level": "pseudonymous", "retentionDays": 730},
    "blocks": [
        {
            "id": "b1",
            "items": [
                {
                    "id": "q1",
                    "type": "csat",
                    "metric": "csat.recharge",
                    "required": True,
                    "title": {"zh-CN": "您对本次办理满意吗？"},
                },
                {
                    "id": "q2",
                    "type": "multi",
                    "max": 3,
                    "showIf": {"ref": "a.q1", "op": "lte", "value": 3},
                    "title": {"zh-CN": "主要是哪些问题？"},
                    "options": [
                        {"id": "o_slow", "text": {"zh-CN": "页面太慢"}},
                        {"id": "o_lost", "text": {"zh-CN": "扣款未到账"}},
                        {"id": "o_none", "text": {"zh-CN": "以上都不是"}, "exclusive": True},
                    ],
                },
                {
                    "id": "q3",
                    "type": "text",
                    "max": 500,
                    "analyse": True,
                    "title": {"zh-CN": "请告诉我们发生了什么"},
                    "showIf": {"ref": "a.q1", "op": "lte", "value": 3},
                },
            ],
        }
    ],
    "endings": [{"id": "end_thanks", "kind": "complete"}],
    "distribution": {
        "channels": ["popover", "link"],
        "triggers": [{"type": "event", "touchpoint": "web.recharge", "event": "fail", "sampleClass": "anomaly"}],
    },
    "actions": [{"if": {"ref": "a.q1", "op": "lte", "value": 2}, "do": "voice"}],
}
