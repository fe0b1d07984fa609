"""The same web as the voices' tests."""

from tests.experience.voices.conftest import rows, web

__all__ = ["rows", "web"]
