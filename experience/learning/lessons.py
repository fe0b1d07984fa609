"""Which verdicts measure instead of teaching."""

from zlib import crc32

#: One in so many.
_HELD_OF = 5


def is_held(voice_id: int) -> bool:
    """Whether this voice's verdict is held out of the learning curve's models: one in five, the same ones always."""
    return crc32(str(voice_id).encode()) % _HELD_OF == 0
