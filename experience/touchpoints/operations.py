"""Make touchpoints and sites, or bring them up to date."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, select

from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.touchpoints.tables import Channel, Journey, Site, Stage, Touchpoint

#: The channels every database knows: code -> name, in the order they are shown.
CHANNELS = {
    "web": "网上营业厅",
    "app": "手机 App",
    "wechat": "微信",
    "hotline": "客服热线",
    "store": "营业厅",
    "field": "上门服务",
    "network": "网络",
    "weibo": "微博",
    "sms": "短信",
}


@dataclass(frozen=True, slots=True)
class TouchpointIn:
    """A touchpoint as a setup document describes it; journey and stage are made when they are new."""

    code: str
    name: str
    channel: str
    journey: str = ""
    stage: str = ""
    is_key: bool = False
    steps: Sequence[str] = ()
    product_line: str = ""
    weight: float = 1.0


def ensure_channels(session: Session) -> None:
    """The channels every database knows."""
    rows = [{"code": code, "name": name, "position": n} for n, (code, name) in enumerate(CHANNELS.items())]
    session.execute(insert(Channel).values(rows).on_conflict_do_nothing())


def ensure_touchpoint(session: Session, told: TouchpointIn) -> Touchpoint:
    """The touchpoint under this code, new or brought up to date. Raises Invalid for an unknown channel."""
    if session.get(Channel, told.channel) is None:
        raise Invalid(say("触点 %(code)s 的渠道“%(channel)s”不认识。", code=told.code, channel=told.channel))
    found = session.get(Touchpoint, told.code) or Touchpoint(code=told.code, name=told.name, channel=told.channel)
    found.name, found.channel, found.is_key = told.name, told.channel, told.is_key
    found.steps, found.product_line, found.weight = list(told.steps), told.product_line, told.weight
    found.stage_id = _stage(session, told.journey, told.stage) if told.journey and told.stage else None
    session.add(found)
    session.flush()
    return found


def _stage(session: Session, journey: str, stage: str) -> int:
    position = len(session.exec(select(Journey.id)).all())
    made = {"name": journey, "position": position}
    session.execute(insert(Journey).values(made).on_conflict_do_nothing(index_elements=["name"]))
    journey_id = session.exec(select(Journey.id).where(Journey.name == journey)).one()
    position = len(session.exec(select(Stage.id).where(Stage.journey_id == journey_id)).all())
    row = {"journey_id": journey_id, "name": stage, "position": position}
    session.execute(insert(Stage).values(row).on_conflict_do_nothing(index_elements=["journey_id", "name"]))
    found = session.exec(select(Stage.id).where(Stage.journey_id == journey_id, Stage.name == stage)).one()
    assert found is not None
    return found


def ensure_site(session: Session, *, key: str, name: str, origins: Sequence[str], secret: str = "") -> Site:
    """The site under this key, new or brought up to date. An empty secret leaves the one it has."""
    found = session.get(Site, key) or Site(key=key, name=name)
    found.name, found.origins, found.is_active = name, [origin.rstrip("/") for origin in origins], True
    found.secret = secret or found.secret
    session.add(found)
    session.flush()
    return found
