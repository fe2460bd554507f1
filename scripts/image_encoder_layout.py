"""Write where the weights of an image encoder lie in the file that its package has.

Usage: python scripts/image_encoder_layout.py FILE.pth [TARGET.json]

The file is what torch wrote before it used zip: five pickles, then the numbers. A pickle is a
program, and none is run here: this reads the operations of the fourth, which names the tensors, and
stops at the first that it does not know. The package is pinned by digest, so what is true of the
file once is true for ever, and whoever builds the encoder needs no reader of such files: he takes
float32 from the places that this writes down.

    {"NAME": [BYTE, [SIZE, ...]], ...}     sizes in the order of the memory; of 4-d tensors: HWIO
"""

import io
import json
import pickletools
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_TARGET = Path(__file__).parent.parent / "src/cipherset/pipeline/embed/image/lite0.json"
_N_PICKLES = 5
_TENSORS, _STORAGES = 3, 4  # which of the pickles: a dictionary of tensors, a list of keys
_WIDTHS = {"torch FloatStorage": 4, "torch LongStorage": 8}
_MARK = object()
_LITERALS = {"NONE": None, "NEWFALSE": False, "EMPTY_TUPLE": (), "MARK": _MARK}
_VALUES = {"BINUNICODE", "BININT", "BININT1", "BININT2", "GLOBAL"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2}
_HWIO = [2, 3, 1, 0]


def main() -> None:
    """Read the file, write the table."""
    raw = Path(sys.argv[1]).read_bytes()
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else _TARGET
    stream = io.BytesIO(raw)
    programs = [list(pickletools.genops(stream)) for _ in range(_N_PICKLES)]
    tensors = list(_tensors(programs[_TENSORS]))
    widths = {storage[2]: _WIDTHS[storage[1]] for _, (storage, *_) in tensors}
    keys = [argument for code, argument, _ in programs[_STORAGES] if code.name == "BINUNICODE"]
    starts = _starts(raw, stream.tell(), keys, widths)
    table = {}
    for name, (storage, first, shape, strides, *_) in tensors:
        if widths[storage[2]] == 4 and not name.startswith("_fc."):  # neither counters nor head
            sizes = _in_memory(shape, strides)
            table[name] = [starts[storage[2]] + 4 * first, sizes]
    lines = [f"{json.dumps(name)}: {json.dumps(where)}" for name, where in sorted(table.items())]
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="ascii")
    print(f"{len(table)} tensors")


def _starts(raw: bytes, at: int, keys: Iterable[str], widths: dict[str, int]) -> dict[str, int]:
    """The first byte of each storage: they follow one another, each after its count of numbers."""
    starts = {}
    for key in keys:
        (count,) = struct.unpack_from("<q", raw, at)
        starts[key] = at + 8
        at += 8 + widths[key] * count
    if at != len(raw):
        raise SystemExit(f"the storages end at byte {at}, the file at {len(raw)}")
    return starts


def _tensors(  # noqa: C901 -- one branch per operation
    program: Iterable[Any],
) -> Iterator[tuple[str, Any]]:
    """Names and what they are rebuilt from, up to the first thing that is no tensor."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for code, argument, _ in program:
        if code.name in _VALUES:
            stack.append(argument)
        elif code.name in _LITERALS:
            stack.append(_LITERALS[code.name])
        elif code.name in {"BINPUT", "LONG_BINPUT"}:
            memo[argument] = stack[-1]
        elif code.name in {"BINGET", "LONG_BINGET"}:
            stack.append(memo[argument])
        elif code.name in _TUPLES:
            n = _TUPLES[code.name]
            stack[-n:] = [tuple(stack[-n:])]
        elif code.name == "TUPLE":
            last = len(stack) - 1 - stack[::-1].index(_MARK)
            stack[last:] = [tuple(stack[last + 1 :])]
        elif code.name == "REDUCE":
            arguments, function = stack.pop(), stack.pop()
            stack.append(arguments if function.endswith("_rebuild_tensor_v2") else ())
        elif code.name == "SETITEMS":
            last = len(stack) - 1 - stack[::-1].index(_MARK)
            yield from zip(stack[last + 1 :: 2], stack[last + 2 :: 2], strict=True)
            return
        elif code.name not in {"PROTO", "BINPERSID"}:  # a storage is what is named before it
            raise SystemExit(f"unknown operation {code.name}")


def _in_memory(shape: tuple[int, ...], strides: tuple[int, ...]) -> list[int]:
    order = _HWIO if len(shape) == 4 else list(range(len(shape)))
    step = 1
    for axis in reversed(order):
        if shape[axis] > 1 and strides[axis] != step:
            raise SystemExit(f"shape {shape}, strides {strides}: not in the order {order}")
        step *= shape[axis]
    return [shape[axis] for axis in order]


if __name__ == "__main__":
    main()
