"""From a survey's own settings and what is known of a person to the contact policy's facts and settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import time
from typing import Any

from experience.customers.contact_policy import Settings
from surveys import conditions
from surveys.definition import Contact, SurveyDefinition

#: Purposes whose defaults differ. A follow-up is owed to a customer who was wronged: nothing stands before it but their
#: own wish not to be asked; each follow-up is asked once, whoever was asked what before.
PURPOSES: Mapping[str, Settings] = {
    "follow_up": Settings(
        max_shows=1_000, repeat_after_days=0, cooldown_days=0, max_per_session=1_000, dismissals=1_000, holdout=0.0
    ),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and when a survey may come up: what conditions on ctx, tag and probe are judged by."""

    touchpoint: str = ""
    province: str = ""
    channel: str = "popover"
    tags: Mapping[str, Any] = field(default_factory=dict)
    probe: Mapping[str, Any] = field(default_factory=dict)
    url: Mapping[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Mapping[str, Any]]:
        """As conditions read them."""
        ctx = {"touchpoint": self.touchpoint, "province": self.province, "channel": self.channel}
        return {"ctx": ctx, "tag": self.tags, "probe": self.probe, "url": self.url, "var": {}}


def settings(contact: Contact, purpose: str) -> Settings:
    """The policy's numbers for a survey: its own where it gives them, else its purpose's, else the house's."""
    own = contact.model_dump(exclude_none=True, exclude={"priority", "quiet"})
    if contact.quiet is not None:
        own["quiet"] = _window(contact.quiet)
    return replace(PURPOSES.get(purpose, Settings()), **own)


def _window(quiet: tuple[str, ...]) -> tuple[time, time] | None:
    return (time.fromisoformat(quiet[0]), time.fromisoformat(quiet[1])) if quiet else None


def is_audience(survey: SurveyDefinition, setting: Setting) -> bool:
    """Whether the person belongs to those the survey is for."""
    return conditions.holds(survey.distribution.audience, setting.facts())


def has_channel(survey: SurveyDefinition, channel: str) -> bool:
    """Whether the survey goes out by this channel."""
    return channel in survey.distribution.channels
