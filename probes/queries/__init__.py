"""Reads of probes; each takes the session and the caller's scope."""

from probes.queries.anomalies import anomalies, anomaly_by_code, told
from probes.queries.series import funnel_of, points

__all__ = ["anomalies", "anomaly_by_code", "funnel_of", "points", "told"]
