"""The two-level tree of topics: fixed first-level codes, second level as data."""

#: First level; the codes are a contract with outside programs, the names are shown.
TOPICS: dict[str, str] = {
    "billing": "资费账单",
    "plan": "套餐合约",
    "mobile_network": "移动网络",
    "broadband": "宽带电视",
    "data": "流量",
    "value_added": "增值业务",
    "number": "号卡",
    "store": "营业厅",
    "hotline": "客服热线",
    "app": "线上渠道",
    "marketing": "营销活动",
    "security": "信息安全",
    "roaming": "国际漫游",
    "enterprise": "政企业务",
    "terminal": "终端",
    "other": "其他",
}
