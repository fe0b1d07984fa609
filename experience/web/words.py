"""What codes are called on the pages: one Chinese word per code, translated when it is shown.

Each mapping is code -> Chinese; `marked` only marks the word for the translation catalog.
"""

from analysis.topics import TOPICS
from experience.voices.intake import PROVINCES, SOURCES


def marked(sentence: str) -> str:
    """The sentence itself; the catalog's extractor finds it by this call."""
    return sentence


N_ = marked

ORDER_STATES = {
    "draft": N_("草稿"),
    "dispatched": N_("待签收"),
    "processing": N_("处理中"),
    "suspended": N_("已挂起"),
    "internal_review": N_("省内审核"),
    "submitted": N_("待核验"),
    "callback": N_("待回访"),
    "archived": N_("已归档"),
    "returned": N_("已退单"),
    "merged": N_("已并单"),
    "cancelled": N_("已作废"),
}
ISSUE_STATES = {
    "candidate": N_("待研判"),
    "open": N_("待派单"),
    "dispatched": N_("整改中"),
    "solved": N_("已解决"),
    "dismissed": N_("不成立"),
    "merged": N_("已合并"),
}
SEVERITIES = {1: N_("一级 重大"), 2: N_("二级 严重"), 3: N_("三级 一般"), 4: N_("四级 轻微")}
URGENCIES = {0: N_("不急"), 1: N_("关注"), 2: N_("紧急"), 3: N_("特急")}
LABELS = {"negative": N_("负面"), "neutral": N_("中性"), "positive": N_("正面")}
INTENTS = {
    "complaint": N_("投诉"),
    "suggestion": N_("建议"),
    "inquiry": N_("咨询"),
    "praise": N_("表扬"),
    "other": N_("其他"),
}
ORIGINS = {
    "staff": N_("人工发现"),
    "triage": N_("系统聚类"),
    "survey": N_("问卷反馈"),
    "anomaly": N_("探针异动"),
    "self_check": N_("省分自查"),
    "centre": N_("中心派发"),
}
ORDER_TYPES = {
    "major": N_("重大事件"),
    "complaint": N_("投诉"),
    "experience": N_("体验问题"),
    "suggestion": N_("建议需求"),
}
CLOCKS = {
    "dispatch": N_("派单"),
    "accept": N_("签收"),
    "contact": N_("首次联系"),
    "resolve": N_("办结"),
    "hold": N_("持单"),
    "review": N_("核验"),
    "callback": N_("回访"),
    "supervise": N_("督办答复"),
    "statutory": N_("法定答复"),
}
CLOCK_STATES = {
    "running": N_("计时中"),
    "paused": N_("已暂停"),
    "met": N_("按时完成"),
    "breached_met": N_("超时完成"),
    "cancelled": N_("已停止"),
}
ACTIONS = {
    "create": N_("建单"),
    "dispatch": N_("派单"),
    "accept": N_("签收"),
    "transfer": N_("转派"),
    "return": N_("申请退单"),
    "suspend": N_("申请挂起"),
    "resume": N_("恢复处理"),
    "extend": N_("申请延期"),
    "urge": N_("催办"),
    "supervise": N_("督办"),
    "submit": N_("提交省内审核"),
    "approve_internal": N_("省内审核通过"),
    "reject_internal": N_("省内驳回"),
    "reply": N_("回单"),
    "confirm": N_("核验通过"),
    "reject": N_("驳回"),
    "callback": N_("登记回访"),
    "archive": N_("归档"),
    "reopen": N_("重开"),
    "escalate": N_("升级"),
    "merge": N_("并单"),
    "cancel": N_("作废"),
    "decide": N_("审批申请"),
    "approve_request": N_("同意申请"),
    "reject_request": N_("不同意申请"),
    "expire_request": N_("申请到期"),
    "breach": N_("超时"),
    "mark": N_("时限提醒"),
    "follow": N_("随子单变化"),
    "followup": N_("客户复核"),
    "effect": N_("成效测算"),
}
REQUESTS = {"return": N_("退单"), "suspend": N_("挂起"), "extend": N_("延期")}
REQUEST_STATES = {
    "pending": N_("待审批"),
    "approved": N_("已同意"),
    "rejected": N_("未同意"),
    "expired": N_("已过期"),
}
CALLBACK_RESULTS = {
    "satisfied": N_("满意"),
    "basically": N_("基本满意"),
    "dissatisfied": N_("不满意"),
    "unreachable": N_("未接通"),
}
FOLLOW_UP_STATES = {
    "waiting": N_("待邀约"),
    "invited": N_("已邀约"),
    "answered": N_("已作答"),
    "unreachable": N_("联系不上"),
    "expired": N_("已过期"),
}
VERDICTS = {
    "pending": N_("观察期内"),
    "better": N_("明显好转"),
    "worse": N_("变差了"),
    "unclear": N_("尚无明显变化"),
    "undecidable": N_("样本不足，无法判断"),
}
EFFECT_KEYS = {"success_rate": N_("办理成功率"), "csat": N_("满意度")}
UNIT_KINDS = {
    "centre": N_("集团"),
    "province": N_("省分"),
    "base": N_("基地"),
    "department": N_("部门"),
    "partner": N_("合作方"),
}
LIMIT_UNITS = {"wh": N_("个工作小时"), "wd": N_("个工作日"), "wd_eod": N_("个工作日"), "nh": N_("小时"), "nd": N_("天")}

IMPORT_STATES = {"waiting": N_("排队中"), "running": N_("处理中"), "done": N_("已完成"), "failed": N_("没有成功")}
IMPORT_FIELDS = {
    "text": N_("客户说的话"),
    "source": N_("来源"),
    "at": N_("时间"),
    "touchpoint": N_("触点"),
    "province": N_("省分"),
    "product": N_("产品"),
    "external_id": N_("唯一编号"),
    "customer": N_("客户标识"),
    "mood": N_("心情"),
}

#: Aspects that the lexicon, which holds lower case only, writes otherwise than people do.
ASPECTS = {"app": "App"}

#: Why something went wrong, as a reply says it; the first question of every review.
CAUSES = {
    "system": N_("系统故障"),
    "process": N_("流程缺陷"),
    "rule": N_("规则或资费设计"),
    "network": N_("网络质量"),
    "staff": N_("人员操作"),
    "partner": N_("合作方"),
    "information": N_("宣传或告知不清"),
    "customer": N_("客户自身原因"),
    "not_ours": N_("非本单位责任"),
    "other": N_("其他"),
}

#: code -> tone of its badge (see app.css `.tag-*`)
TONES = {
    "dispatched": "warn", "processing": "info", "suspended": "mute", "internal_review": "info", "submitted": "warn",
    "callback": "info", "archived": "good", "returned": "bad", "merged": "mute", "cancelled": "mute", "draft": "mute",
    "candidate": "warn", "open": "bad", "solved": "good", "dismissed": "mute",
    "negative": "bad", "neutral": "mute", "positive": "good",
    "pending": "warn", "approved": "good", "rejected": "bad", "expired": "mute",
    "better": "good", "worse": "bad", "unclear": "mute", "undecidable": "mute",
    "running": "info", "paused": "mute", "met": "good", "breached_met": "bad",
    "waiting": "mute", "done": "good", "failed": "bad", "invited": "info", "answered": "good", "unreachable": "mute",
}  # fmt: skip

ROLES = {
    "admin": N_("系统管理员"),
    "leader": N_("领导"),
    "triager": N_("研判员"),
    "dispatcher": N_("派单员"),
    "reviewer": N_("核验员"),
    "analyst": N_("分析师"),
    "designer": N_("问卷设计"),
    "callback": N_("回访员"),
    "coordinator": N_("省分协调"),
    "approver": N_("审批人"),
    "handler": N_("处理人"),
    "viewer": N_("只读"),
    "privacy": N_("个人信息保护"),
}
ROOMS = {
    "home": N_("首页"),
    "voices": N_("客户原声"),
    "models": N_("研读模型"),
    "words": N_("词库"),
    "issues": N_("体验问题"),
    "orders": N_("工单"),
    "touchpoints": N_("触点与旅程"),
    "anomalies": N_("异动"),
    "triggers": N_("触发规则"),
    "surveys": N_("问卷"),
    "customers": N_("客户"),
    "reports": N_("报表"),
    "audit": N_("审计"),
    "organisation": N_("系统管理"),
    "system": N_("系统状况"),
}

#: What the audit writes down, beside the acts on orders.
AUDITED = {
    "log_in": N_("登录"),
    "log_in_refused": N_("登录被拒"),
    "log_out_everywhere": N_("退出所有设备"),
    "denied": N_("越权被拒"),
    "act_for": N_("代理切换"),
    "appoint_deputy": N_("设置代理"),
    "dismiss_deputy": N_("取消代理"),
    "change_password": N_("修改密码"),
    "reset_password": N_("重置密码"),
    "issue_token": N_("签发令牌"),
    "revoke_token": N_("吊销令牌"),
    "create_user": N_("新增用户"),
    "change_user": N_("修改用户"),
    "enable_user": N_("启用用户"),
    "disable_user": N_("停用用户"),
    "create_unit": N_("新增单位"),
    "change_unit": N_("修改单位"),
    "save_site": N_("保存接入方"),
    "save_policy": N_("保存时限策略"),
    "cover_calendar": N_("确认假日安排"),
    "issues.raise": N_("建立问题"),
    "issues.join": N_("归入问题"),
    "issues.change": N_("修改问题"),
    "issues.merge": N_("合并问题"),
    "issues.dispatch": N_("问题派单"),
    "issues.solve": N_("问题解决"),
    "issues.recall": N_("问题撤回"),
    "issues.reopen": N_("问题重开"),
    "issues.accept": N_("问题成立"),
    "issues.dismiss": N_("问题不成立"),
    "voices.hear": N_("登记原声"),
    "voices.import": N_("导入原声"),
    "voices.correct": N_("更正研读"),
    "voices.uncorrect": N_("撤销更正"),
    "voices.moderate": N_("吐槽回复"),
    "voices.unmask": N_("查看原文"),
    "models.add": N_("载入模型"),
    "models.train": N_("训练模型"),
    "models.change": N_("启用模型"),
    "models.reread": N_("重新研读"),
    "discovery.ask": N_("重新聚类"),
    "discovery.reread": N_("按新主题重读"),
    "discovery.rename": N_("聚类命名"),
    "discovery.merge": N_("合并聚类"),
    "discovery.promote": N_("提升为主题"),
    "discovery.dismiss": N_("忽略发现"),
    "surveys.create": N_("新建问卷"),
    "surveys.edit": N_("编辑问卷"),
    "surveys.publish": N_("发布问卷"),
    "surveys.move": N_("问卷启停"),
    "surveys.export": N_("导出答卷"),
    "triggers.edit": N_("编辑触发规则"),
    "anomalies.dismiss": N_("异动不成立"),
    "customers.edit": N_("修改客户资料"),
    "topics.export": N_("导出主题"),
} | {f"orders.{code}": name for code, name in ACTIONS.items()}
AUDIT_SUBJECTS = {
    "user": N_("用户"),
    "unit": N_("单位"),
    "path": N_("页面"),
    "order": N_("工单"),
    "issue": N_("体验问题"),
    "voice": N_("客户原声"),
    "survey": N_("问卷"),
    "trigger": N_("触发规则"),
    "anomaly": N_("异动"),
    "site": N_("接入方"),
    "policy": N_("时限策略"),
    "calendar": N_("工作日历"),
    "model": N_("研读模型"),
    "discovery_run": N_("聚类"),
    "cluster": N_("聚类"),
    "emerging_word": N_("新词"),
    "customer": N_("客户"),
    "token": N_("访问令牌"),
    "deputy": N_("代理"),
}
CHECKS = {
    "worker": N_("后台进程"),
    "marks": N_("时限提醒"),
    "jobs": N_("定时任务"),
    "rows": N_("数据处理"),
    "calendar": N_("工作日历"),
    "database": N_("数据库"),
}

GROUPS: dict[str, dict[str, str]] = {
    "audited": AUDITED,
    "subject": AUDIT_SUBJECTS,
    "check": CHECKS,
    "role": ROLES,
    "room": ROOMS,
    "order": ORDER_STATES,
    "issue": ISSUE_STATES,
    "label": LABELS,
    "intent": INTENTS,
    "origin": ORIGINS,
    "source": {code: name for code, (name, _) in SOURCES.items()},
    "province": PROVINCES,
    "topic": TOPICS,
    "type": ORDER_TYPES,
    "clock": CLOCKS,
    "clock_state": CLOCK_STATES,
    "action": ACTIONS,
    "request": REQUESTS,
    "request_state": REQUEST_STATES,
    "callback": CALLBACK_RESULTS,
    "follow_up": FOLLOW_UP_STATES,
    "verdict": VERDICTS,
    "effect": EFFECT_KEYS,
    "unit": UNIT_KINDS,
    "import": IMPORT_STATES,
    "field": IMPORT_FIELDS,
    "severity": {str(k): v for k, v in SEVERITIES.items()},
    "urgency": {str(k): v for k, v in URGENCIES.items()},
}
