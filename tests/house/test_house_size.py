"""No file eats the others: modules, functions and rooms stay small enough to read at once."""

import ast
from collections import Counter
from pathlib import PurePosixPath
from typing import Final

MODULE_LINES: Final = 400
FUNCTION_LINES: Final = 40
ROOM_MODULES: Final = 12
BANNED_NAMES: Final = {"utils", "util", "helpers", "helper", "common", "misc"}


def test_modules_are_short(modules):
    sizes = {module.name: module.text.count("\n") for module in modules}
    assert {name: size for name, size in sizes.items() if size > MODULE_LINES} == {}


def test_functions_are_short(modules):
    """Counted without the docstring, so that nobody saves words there."""
    long = [
        f"{module.at(node)} {node.name}: {size}"
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (size := _lines(node)) > FUNCTION_LINES
    ]
    assert long == []


def test_rooms_are_small(modules):
    rooms = Counter(
        str(PurePosixPath(module.name).parent)
        for module in modules
        if not module.name.endswith("__init__.py")
    )
    assert {room: count for room, count in rooms.items() if count > ROOM_MODULES} == {}


def test_no_room_without_a_name(modules):
    parts = {
        part for module in modules for part in PurePosixPath(module.name).with_suffix("").parts
    }
    assert parts & BANNED_NAMES == set()


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    total = node.end_lineno - node.lineno + 1
    if ast.get_docstring(node) is None:
        return total
    docstring = node.body[0]
    return total - (docstring.end_lineno - docstring.lineno + 1)
