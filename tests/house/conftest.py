"""The source as the house rules see it: every module with its path, text and syntax tree."""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Module:
    """One file of the package; ``name`` is its path inside ``src/cipherset``."""

    name: str
    text: str
    tree: ast.Module

    def at(self, node: ast.AST) -> str:
        """Return where ``node`` stands, as an editor would open it."""
        return f"src/cipherset/{self.name}:{getattr(node, 'lineno', 1)}"

    def excuses(self, node: ast.AST) -> bool:
        """Whether the line of ``node`` gives a reason: ``# house: ...``."""
        return "# house: " in self.text.splitlines()[node.lineno - 1]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def modules() -> list[Module]:
    package = ROOT / "src" / "cipherset"
    found = []
    for path in sorted(package.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found.append(Module(path.relative_to(package).as_posix(), text, ast.parse(text, path)))
    return found
