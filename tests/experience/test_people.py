"""The people the tests know see what they should."""

from sqlmodel import Session

from experience.organisation.tables import ApiToken
from tests.people import House


def test_a_province_sees_its_own_departments_and_territory_only(house: House) -> None:
    zhou, wang = (house.scope(who).reach("orders.read") for who in ("zhou", "wang"))
    assert zhou.unit_ids == {house.unit(code) for code in ("guangdong", "guangdong.network", "guangdong.service")}
    assert zhou.territories | wang.territories == {"guangdong", "hunan"}
    assert not zhou.territories & wang.territories
    assert not wang.sees_unit(house.unit("guangdong.network"))


def test_the_centre_sees_everything(house: House) -> None:
    assert house.scope("lin").reach("voices.read").is_everything


def test_a_token_is_kept_only_as_its_hash(house: House, session: Session) -> None:
    from experience.organisation.queries import caller_by_token  # noqa: PLC0415

    token = house.token("lin")
    caller = caller_by_token(session, token)
    assert caller is not None
    assert caller.id == house.users["lin"].id
    assert token not in session.get_one(ApiToken, caller.door_id).token_hash
