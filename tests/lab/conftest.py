"""What the tests of the lab share with those of serving."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "serving"))
