"""What is done with readers: keep a candidate, promote, roll back, and read with what was chosen."""

from experience.readers.operations.current import bump, use_current
from experience.readers.operations.promotion import add_candidate, promote, roll_back

__all__ = ["add_candidate", "bump", "promote", "roll_back", "use_current"]
