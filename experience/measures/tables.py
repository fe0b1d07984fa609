"""The one table of numbers over time, and topics by the day."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint
from sqlmodel import Field

from experience.ground.store import Row, UtcDateTime, row_id

WINDOWS = (60, 300, 3600, 86400)


class Measure(Row, table=True):
    """A count and a sum of one key at one touchpoint and province in one window.

    `province` is '' for all provinces together. `bucket` is the DDSketch bucket of a duration (key `ms`), else 0, so that
    histograms are ordinary rows merged by SUM. `window_seconds` is 60, 300, 3600 or 86400; day windows start at Beijing midnight.
    """

    __tablename__ = "measure"
    __table_args__ = (CheckConstraint(f"window_seconds in {WINDOWS}", name="window"),)
    touchpoint: str = Field(primary_key=True)
    window_seconds: int = Field(primary_key=True)
    key: str = Field(primary_key=True)
    province: str = Field(primary_key=True, default="")
    at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    bucket: int = Field(primary_key=True, default=0)
    n: int = Field(default=0, sa_type=BigInteger)
    value: float = 0.0


class TopicDay(Row, table=True):
    """How a topic was spoken of on one day in Beijing: a sum of the day's readings, made again when one changes.

    `kind` is '' for all voices together, or province, touchpoint, product, source; `value` is then the code. `texts` counts
    what was said the same that day once; `sentiment` is the sum.
    """

    __tablename__ = "topic_day"
    kind: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    value: str = Field(primary_key=True, default="")
    topic: str = Field(primary_key=True)
    n: int
    texts: int
    negative: int
    positive: int
    sentiment: float


class TopicDayStale(Row, table=True):
    """A note, left by a trigger for every written reading, that its day's sums are no longer true.

    Until the clock has made them again such a day is counted from its voices.
    """

    __tablename__ = "topic_day_stale"
    id: int | None = row_id()
    day: date = Field(index=True)
