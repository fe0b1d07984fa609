"""A model taught by staff: artefacts in and out of memory."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis import model as models


def unpacked(artefact: bytes, card: Mapping[str, Any]) -> models.Model:
    """The model of an .npz held in memory. Raises ValueError when it was made for other topics or rules."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        path.write_bytes(artefact)
        path.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
        return models.read_file(path)
