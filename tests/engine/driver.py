"""A command whose parts have 100 rows or more, which waits for a word after the first receipt.

``python driver.py FOLDER COMMAND …``: where FOLDER has no file ``go``, it makes one that is called
``paused`` when the first worker has said that a part is done, and waits for ``go``.
"""

import sys
import time
from pathlib import Path

from cipherset.app.engine import run
from cipherset.app.engine.pool import Pool
from cipherset.interfaces.cli.main import main


def pausing(folder: Path) -> None:
    """Have the pool pause once."""
    heard = Pool._heard

    def paused(self, hand, part, said) -> None:
        heard(self, hand, part, said)
        if part is not None and not (folder / "go").exists():
            (folder / "paused").touch()
            for _ in range(6000):
                if (folder / "go").exists():
                    return
                time.sleep(0.1)
            sys.exit("nobody said go")

    Pool._heard = paused


if __name__ == "__main__":
    run.LEAST_ROWS = 100
    pausing(Path(sys.argv[1]))
    sys.argv[1:2] = []
    main()
