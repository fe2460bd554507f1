"""Write docs/reference/errors.md: every error code the package raises, read from its source."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PACKAGE: Final = ROOT / "src" / "cipherset"
PAGE: Final = ROOT / "docs" / "reference" / "errors.md"
MESSAGE_WORDS: Final = 12
HEAD: Final = """\
# Error codes

Every error that Cipherset raises on purpose carries a stable `code`, a message that says what was
found, what was expected and where, and a hint. With `--json` a command prints it as
`{"error": {"code": "...", "message": "...", "hint": "..."}}` and ends with the exit code below;
in Python it is the attribute `code` of a `cipherset.core.errors.CiphersetError`.
Scripts may rely on codes and exit codes; the wording of messages may change.

This page is made from the source by `make reference`. `…` stands for what the message fills in.
"""


@dataclass(frozen=True)
class Maker:
    """An error class, or a function that makes one from the ``code`` it is given."""

    family: str
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Refusal:
    """One place that makes an error; ``code`` is None where it is not a plain string."""

    code: str | None
    family: str
    message: str
    where: str


def main() -> int:
    """Write the page; return 0."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    return 0


def page() -> str:
    """Return the page as the source of today makes it."""
    codes = exit_codes(_trees())
    first: dict[str, Refusal] = {}
    for refusal in refusals():
        if refusal.code is not None:
            first.setdefault(refusal.code, refusal)
    lines = [HEAD]
    for exit_code in sorted({codes[refusal.family] for refusal in first.values()}):
        lines += [
            f"## Exit code {exit_code}",
            "",
            "| code | error | message begins |",
            "|---|---|---|",
        ]
        lines += [
            f"| `{code}` | {refusal.family} | {refusal.message} |"
            for code, refusal in sorted(first.items())
            if codes[refusal.family] == exit_code
        ]
        lines.append("")
    return "\n".join(lines)


def refusals() -> list[Refusal]:
    """Return every place in the package that makes an error, in the order of its files."""
    trees = _trees()
    families = set(exit_codes(trees))
    return [
        _refusal(call, maker, f"src/cipherset/{name}:{call.lineno}")
        for name, tree in trees.items()
        for call, maker in _made(tree, families)
    ]


def exit_codes(trees: dict[str, ast.Module]) -> dict[str, int]:
    """Return the exit code of every class below ``CiphersetError``, by its name."""
    codes = {"CiphersetError": 1}
    classes = [
        node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    ]
    while True:
        known = len(codes)
        for node in classes:
            parents = [
                base.id for base in node.bases if isinstance(base, ast.Name) and base.id in codes
            ]
            if parents:
                codes.setdefault(node.name, _own_exit_code(node) or codes[parents[0]])
        if len(codes) == known:
            return codes


def _own_exit_code(node: ast.ClassDef) -> int | None:
    for line in node.body:
        if (
            isinstance(line, ast.AnnAssign)
            and isinstance(line.target, ast.Name)
            and line.target.id == "exit_code"
            and isinstance(line.value, ast.Constant)
            and isinstance(line.value.value, int)
        ):
            return line.value.value
    return None


def _trees() -> dict[str, ast.Module]:
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"), path)
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def _made(tree: ast.Module, families: set[str]) -> Iterator[tuple[ast.Call, Maker]]:
    """Yield the calls that make an error, each with how to read it, in the order of their lines."""
    makers = {family: Maker(family, ("message",)) for family in families}
    inside = set()
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for call in _calls(function):
            if _called(call) in families and _passes_code_on(call, function):
                inside.add(call)
                parameters = tuple(word.arg for word in function.args.args if word.arg != "self")
                makers[function.name] = Maker(_called(call), parameters)
    for call in _calls(tree):
        if _called(call) in makers and call not in inside:
            yield call, makers[_called(call)]


def _calls(tree: ast.AST) -> list[ast.Call]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _passes_code_on(call: ast.Call, function: ast.FunctionDef) -> bool:
    parameters = {word.arg for word in function.args.args + function.args.kwonlyargs}
    code = _argument(call, "code", ())
    return isinstance(code, ast.Name) and code.id == "code" and "code" in parameters


def _argument(call: ast.Call, name: str, parameters: tuple[str, ...]) -> ast.expr | None:
    for word in call.keywords:
        if word.arg == name:
            return word.value
    if name in parameters and parameters.index(name) < len(call.args):
        return call.args[parameters.index(name)]
    return None


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _refusal(call: ast.Call, maker: Maker, where: str) -> Refusal:
    code = _argument(call, "code", maker.parameters)
    message = _argument(call, "message", maker.parameters) or ast.Constant("…")
    return Refusal(
        code=code.value if isinstance(code, ast.Constant) and isinstance(code.value, str) else None,
        family=maker.family,
        message=_first_words(_wording(message)),
        where=where,
    )


def _wording(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_wording(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return _wording(node.left) + _wording(node.right)
    return "…"


def _first_words(wording: str) -> str:
    words = wording.replace("|", "\\|").split()
    return " ".join(words[:MESSAGE_WORDS]) + (" …" if len(words) > MESSAGE_WORDS else "")


if __name__ == "__main__":
    sys.exit(main())
