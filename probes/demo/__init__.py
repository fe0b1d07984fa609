"""Three months of numbers, events and anomalies for the demo operator."""

from experience.demo.past import Stage
from probes.demo import anomalies, events, numbers

STAGES: tuple[Stage, ...] = (
    Stage("触点指标", numbers.fill),
    Stage("探针事件", events.fill),
    Stage("异动", anomalies.fill),
    Stage("触发规则", anomalies.triggers),
)
