"""An owner with an export, a model and a key to look at."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "serving"))

import serving_thread

__all__ = ["copied", "owner"]

copied = serving_thread.copied
owner = serving_thread.vector_owner
