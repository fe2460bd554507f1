"""The lists that ship with the package; each says where it is from and under which license."""

from functools import cache
from importlib.resources import files


def lines(name: str) -> list[str]:
    """The lines of a file in ``data/``, without blank ones and comments."""
    path = files("cipherset.pipeline.sanitize.detectors") / "data" / name
    written = path.read_text(encoding="utf-8").splitlines()
    return [line for line in written if line and not line.startswith("#")]


def cues(section: str) -> frozenset[str]:
    """The words and phrases of a section of ``cues.txt``."""
    return _sections()[section]


@cache
def _sections() -> dict[str, frozenset[str]]:
    sections: dict[str, list[str]] = {}
    words: list[str] = []
    for line in lines("cues.txt"):
        if line.startswith("["):
            words = sections.setdefault(line.strip("[]"), [])
        else:
            words += (word.replace("_", " ") for word in line.split())
    return {section: frozenset(words) for section, words in sections.items()}
