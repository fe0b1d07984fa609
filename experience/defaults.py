"""What every database needs before anybody works in it; what staff changed since stays as they made it."""

from sqlmodel import Session

from experience.orders import operations as orders
from experience.touchpoints import operations as touchpoints


def ensure(session: Session) -> None:
    """Channels, the office calendar, the shipped policies."""
    touchpoints.ensure_channels(session)
    orders.ensure_defaults(session)
