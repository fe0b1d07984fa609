"""The probe as pages embed it: its weight is a promise to every page that carries it."""

from probes.web import sdk

BUDGET = 6 * 1024


def test_the_probe_travels_in_six_kibibytes() -> None:
    assert len(sdk.script().gzipped) <= BUDGET


def test_what_pages_call_keeps_its_name() -> None:
    text = sdk.script().text.decode()
    for word in (
        "window.hs=",
        "window.hsProbe=",
        "hsSurvey.show(",
        "data-hs-touchpoint",
        "doNotTrack",
        "/collect/v1/events",
    ):
        assert word in text
