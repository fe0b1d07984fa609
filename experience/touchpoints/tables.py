"""Rows of the journey map: journeys, stages, channels, touchpoints, sites."""

from sqlalchemy import Column, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from experience.ground.store import Row, reference, row_id


class Journey(Row, table=True):
    """What a customer sets out to do, such as 充值缴费."""

    __tablename__ = "journey"
    id: int | None = row_id()
    name: str = Field(unique=True)
    position: int = 0


class Stage(Row, table=True):
    """A step of a journey, such as 办理."""

    __tablename__ = "stage"
    __table_args__ = (UniqueConstraint("journey_id", "name"),)
    id: int | None = row_id()
    journey_id: int = reference("journey.id")
    name: str
    position: int = 0


class Channel(Row, table=True):
    """Where the contact happens: web, app, store, hotline, wechat, weibo …"""

    __tablename__ = "channel"
    code: str = Field(primary_key=True)
    name: str
    position: int = 0


class Touchpoint(Row, table=True):
    """One place where customers meet the operator. Other rows name it by `code`."""

    __tablename__ = "touchpoint"
    code: str = Field(primary_key=True)
    name: str
    channel: str = Field(foreign_key="channel.code", index=True)
    stage_id: int | None = reference("stage.id", nullable=True)
    is_key: bool = False
    weight: float = 1.0
    product_line: str = ""
    steps: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    is_active: bool = True


class Site(Row, table=True):
    """A web site or app that embeds us. `key` is public; `secret` signs customer identities."""

    __tablename__ = "site"
    key: str = Field(primary_key=True)
    name: str
    origins: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    secret: str = ""
    is_active: bool = True
