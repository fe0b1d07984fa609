"""A demo order is about what its customers said: each complaint of the phrase book finds one tale and its answer."""

from experience.demo import cases, rhythm, speech


def test_a_complaint_belongs_to_one_tale_of_its_topic() -> None:
    for entry in speech.phrases():
        told = cases.tales()[entry["topic"]]
        for said in entry["complaint"]:
            fitting = [tale["title"] for tale in told if any(word in said for word in tale["says"])]
            assert len(fitting) == (0 if entry["topic"] == "other" else 1), (said, fitting)


def test_what_is_said_of_an_incident_is_said_by_somebody() -> None:
    complaints = {entry["topic"]: " ".join(entry["complaint"]) for entry in speech.phrases()}
    for incident in rhythm.INCIDENTS:
        assert all(word in complaints[incident.topic] for word in incident.says)
