"""Pickles of models, told by the classes they name; opcodes are read, none is executed."""

import bz2
import io
import lzma
import pickletools
import re
import sys
import zlib
from collections.abc import Iterator
from typing import Final

_MOST_OPCODES: Final = 20_000
_MOST_BYTES: Final = 262_144
_ENDINGS: Final = (
    ".pkl",
    ".pickle",
    ".joblib",
    ".sav",  # codespell:ignore sav
    ".pt",
    ".pth",
    ".bin",
    ".ckpt",
    ".model",
    ".p",
)
_TORCH_MAGIC: Final = 0x1950A86A20F9469CFC6C
_LIBRARIES: Final = {
    "sklearn": "scikit-learn",
    "xgboost": "XGBoost",
    "lightgbm": "LightGBM",
    "catboost": "CatBoost",
    "torch": "PyTorch",
    "keras": "Keras",
    "tensorflow": "TensorFlow",
    "transformers": "Transformers",
    "sentence_transformers": "Sentence Transformers",
    "spacy": "spaCy",
    "gensim": "gensim",
    "statsmodels": "statsmodels",
    "imblearn": "imbalanced-learn",
    "flax": "Flax",
    "jax": "JAX",
    "stable_baselines3": "Stable Baselines",
    "prophet": "Prophet",
    "pytorch_lightning": "PyTorch Lightning",
    "surprise": "Surprise",
    "hdbscan": "HDBSCAN",
    "fastai": "fastai",
}
# Of those libraries, what holds rows and no model.
_NO_MODEL: Final = re.compile(r"sklearn\.utils\._bunch|torch\.utils\.data")
_MODEL_NAME: Final = re.compile(r"model|classif|regress|clf\b|estimator|predictor", re.IGNORECASE)
# Of the standard library, whose classes hold values: also by its names in Python 2, which pickles
# of protocol 2 still bear.
_STANDARD: Final = sys.stdlib_module_names | {
    *("__builtin__", "copy_reg", "UserDict", "UserList", "UserString", "Queue", "exceptions"),
}
_STRINGS: Final = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "UNICODE", "BINUNICODE8"})
_BROKEN: Final = (ValueError, EOFError, IndexError, KeyError, OverflowError, UnicodeError)


def pickled_model(head: bytes, name: str) -> str:
    """Whose model the pickle is that begins with ``head``; empty if it is none.

    joblib's are read through zlib, gzip, bz2 and xz, as far as a bound.
    """
    plain = _unpacked(head) if name.endswith(_ENDINGS) else head
    is_new = plain[:1] == b"\x80" and plain[1:2] in {b"\2", b"\3", b"\4", b"\5"}
    if not is_new and not (name.endswith(_ENDINGS) and plain[:1] in {b"c", b"(", b"]", b"}"}):
        return ""
    classes = []
    for module, named in _classes(plain):
        if module == "torch magic":
            return "PyTorch (pickle)"
        root = module.partition(".")[0]
        if root in _LIBRARIES and not _NO_MODEL.match(module):
            return f"{_LIBRARIES[root]} (pickle)"
        if root not in _STANDARD:
            classes.append(named)
    is_own = is_new and name.endswith(_ENDINGS) and bool(_MODEL_NAME.search(name))
    return "pickle of another class" if is_own and classes else ""


def _unpacked(head: bytes) -> bytes:
    """The beginning of what ``head`` is the compressed beginning of, or ``head``."""
    try:
        if head[:1] == b"\x78":
            return zlib.decompressobj().decompress(head, _MOST_BYTES)
        if head[:2] == b"\x1f\x8b":
            return zlib.decompressobj(31).decompress(head, _MOST_BYTES)
        if head[:3] == b"BZh":
            return bz2.BZ2Decompressor().decompress(head, _MOST_BYTES)
        if head[:6] == b"\xfd7zXZ\0" or head[:3] == b"]\0\0":
            return lzma.LZMADecompressor().decompress(head, _MOST_BYTES)
    except (zlib.error, OSError, EOFError, lzma.LZMAError):
        return head
    return head


def _classes(raw: bytes) -> Iterator[tuple[str, str]]:
    """The modules and names of the classes that a pickle asks for, as far as it can be read."""
    read = _Read()
    try:
        for number, (opcode, argument, _) in enumerate(pickletools.genops(io.BytesIO(raw))):
            if number > _MOST_OPCODES:
                return
            if opcode.name == "GLOBAL":
                module, _, named = str(argument).partition(" ")
                yield module, named
            elif opcode.name == "STACK_GLOBAL" and len(read.strings) > 1:
                yield read.strings[-2], read.strings[-1]
            elif opcode.name == "LONG1" and argument == _TORCH_MAGIC:
                yield "torch magic", ""
            read.goes_on(opcode.name, argument)
    except _BROKEN:
        return


class _Read:
    """The texts that a pickle pushed last, and those that it may fetch again."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self._memo: list[str] = []
        self._last = ""

    def goes_on(self, name: str, argument: object) -> None:
        if name in _STRINGS:
            self.strings = [*self.strings[-7:], str(argument)]
        elif name == "MEMOIZE":
            self._memo.append(self.strings[-1] if self._last in _STRINGS else "")
        elif name in {"BINGET", "LONG_BINGET"} and isinstance(argument, int):
            known = self._memo[argument] if argument < len(self._memo) else ""
            self.strings = [*self.strings[-7:], known]
        self._last = name
