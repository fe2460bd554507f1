"""A command that is killed when it has put the first object into a store."""

import os
import signal

from cipherset.core.objects import ObjectFolder
from cipherset.interfaces.cli.main import main


def killing() -> None:
    """Have the first object be the last."""
    write = ObjectFolder.write

    def killed(self, name, raw) -> None:
        write(self, name, raw)
        os.kill(os.getpid(), signal.SIGKILL)

    ObjectFolder.write = killed


if __name__ == "__main__":
    killing()
    main()
