"""The fenced blocks of a page, and a runner that does what a reader would do with them.

A block of ``sh`` or ``python`` is run; any other, such as ``text``, is not. A comment on the line
before a block says more about it:

    <!-- saved as: make.py -->    the reader saves it under that name (and runs it later)
    <!-- exits: 3 -->             its last command is refused with that exit code
    <!-- needs: torch -->         run by make test-all only
    <!-- not run: sets up -->     not run, and why

``<!-- goes on from: tutorial/first-cipherset.md -->`` anywhere on a page: it begins in a copy of
the folder that the other page has left.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cipherset.interfaces.cli import settings

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
FENCE = re.compile(
    r"(?P<notes>(?:^<!--[^\n]*-->\n)*)^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.M | re.S
)
NOTE = re.compile(r"<!-- (saved as|exits|needs|not run): (.*?) -->")
GOES_ON = re.compile(r"<!-- goes on from: (\S+) -->")


@dataclass(frozen=True)
class Block:
    kind: str
    text: str
    line: int
    notes: dict[str, str]

    @property
    def is_run(self) -> bool:
        return self.kind in {"sh", "python"} and "not run" not in self.notes


def pages() -> list[str]:
    """Every page whose blocks run, relative to the root."""
    found = [ROOT / "README.md"]
    found += sorted(
        path for part in ("tutorial", "how-to") for path in (ROOT / "docs" / part).glob("*.md")
    )
    return [path.relative_to(ROOT).as_posix() for path in found]


def blocks(page: str) -> list[Block]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(
            match["kind"],
            match["text"],
            text.count("\n", 0, match.start("kind")) + 1,
            dict(NOTE.findall(match["notes"])),
        )
        for match in FENCE.finditer(text)
    ]


def goes_on_from(page: str) -> str | None:
    match = GOES_ON.search((ROOT / page).read_text(encoding="utf-8"))
    return f"docs/{match[1]}" if match else None


PARENTS = sorted({parent for parent in map(goes_on_from, pages()) if parent})


def run_page(page: str, folder: Path, *, extras: bool) -> None:
    """Run the blocks of ``page`` in order; each begins in the folder where the last one ended."""
    where = folder
    for block in blocks(page):
        if not block.is_run or ("needs" in block.notes and not extras):
            continue
        if "saved as" in block.notes:
            (where / block.notes["saved as"]).write_text(block.text, encoding="utf-8")
        else:
            where = _run(page, block, where, folder)


def _run(page: str, block: Block, where: Path, folder: Path) -> Path:
    ended = folder.parent / f"{folder.name}.ended-in"
    if block.kind == "sh":
        command = ["sh", "-euc", f"trap 'pwd >{ended}' EXIT\n{block.text}"]
    else:
        command = [sys.executable, "-W", "error", "-c", block.text]
    done = subprocess.run(
        command,
        cwd=where,
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    expected = int(block.notes.get("exits", "0"))
    if done.returncode != expected:
        raise AssertionError(
            f"{page}:{block.line} ended with {done.returncode}, not {expected}\n"
            f"{block.text}\n{done.stdout}\n{done.stderr}"
        )
    return Path(ended.read_text().strip()) if block.kind == "sh" else where


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "CIPHERSET_CACHE": str(settings.cache()),
        "EXAMPLES": str(ROOT / "examples"),
        "OMP_NUM_THREADS": "1",
        "LANG": "C.UTF-8",
    }
