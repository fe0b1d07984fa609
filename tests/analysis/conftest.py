import pytest

from analysis import pipeline


@pytest.fixture(scope="session", autouse=True)
def _dictionary_and_model_are_loaded() -> None:
    """The first reading takes half a second, which no single test should be blamed for."""
    pipeline.read("热身")
