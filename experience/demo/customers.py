"""The demo operator's customers: pseudonyms, provinces, tiers, and what the operator knows of them."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, insert

from experience.customers.tables import Customer
from experience.demo import operator, speech
from experience.demo.past import Past
from experience.ground.store import transaction

COUNT = 800
TIERS = ("普通", "银卡", "金卡", "钻石")
_WEIGHTS = (62, 22, 12, 4)
SHARES = {code: share for code, _, share in operator.PROVINCES}


def refs(past: Past) -> list[str]:
    """The pseudonyms of all customers, as the operator's own systems would give them."""
    return [f"C{100000 + number}" for number in range(past.count(COUNT, least=300))]


def province_of(ref: str) -> str:
    """The province of a customer, the same in every room of the demo."""
    return random.Random(ref).choices(list(SHARES), list(SHARES.values()))[0]  # noqa: S311


def fill(engine: Engine, past: Past) -> int:
    """Makes the customers; returns how many."""
    rows = list(_rows(past))
    with transaction(engine) as session:
        session.execute(insert(Customer), rows)
    return len(rows)


def _rows(past: Past) -> Iterator[dict[str, Any]]:
    for ref in refs(past):
        chance = random.Random(f"{ref}|facts")  # noqa: S311
        years = min(chance.expovariate(1 / 4), 22)
        yield {
            "ref": ref,
            "province": province_of(ref),
            "tier": chance.choices(TIERS, _WEIGHTS)[0],
            "attributes": {
                "plan": chance.choice(speech.PLANS),
                "tenure_years": round(years, 1),
                "has_broadband": chance.random() < 0.46,  # noqa: PLR2004
                "is_5g": chance.random() < 0.71,  # noqa: PLR2004
                "arpu": round(chance.lognormvariate(4.0, 0.45), 1),
            },
            "do_not_ask": chance.random() < 0.02,  # noqa: PLR2004
            "created_at": past.now - timedelta(days=365 * years + 91),
        }
