"""The one table of numbers over time."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint
from sqlmodel import Field

from experience.ground.store import Row, UtcDateTime

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
