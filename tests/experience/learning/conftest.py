"""Voices said and read, for the tests of learning."""

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from experience.ground import store
from experience.organisation.permissions import SYSTEM
from experience.readers.operations.current import forget
from experience.voices.intake import VoiceIn
from experience.voices.operations import hear, read_now
from tests.conftest import _admin, address

Say = Callable[..., list[int]]


def said(session: Session, now: datetime, *texts: str, **more: str) -> list[int]:
    """The ids of these texts, heard and read."""
    heard = [hear(session, SYSTEM, VoiceIn(text, "app", **more), now=now) for text in texts]  # type: ignore[arg-type]
    read_now(session, heard, now=now)
    return [voice.id for voice in heard if voice.id is not None]


@pytest.fixture(scope="module")
def engine(server: str, template: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A database shared by the tests of one file, with several connections."""
    name = f"{template}_{request.module.__name__.rpartition('.')[2]}"
    _admin(server, f"create database {name} template {template}")
    made = store.engine(address(server, name))
    yield made
    forget()
    made.dispose()
    _admin(server, f"drop database {name} with (force)")
