"""Model files by how they begin, whatever they are called; nothing is loaded.

The headers are those of the formats' own descriptions. A pickle is read as a list of opcodes
(``pickletools``), never executed, and counts if it names a class of a model's library.
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cipherset.evidence.discover.code.look.pickles import pickled_model

HEAD: Final = 65_536  # bytes that are enough to tell any format
_MOST_HEADER: Final = 100_000_000  # of safetensors, as its own reader allows
_FASTTEXT: Final = struct.pack("<i", 793_712_314)
_ONNX_MAKERS: Final = re.compile(
    rb"pytorch|onnx|tf2|keras|sklearn|lightgbm|paddle|cntk|xgboost|mxnet"
)
# The top-level fields of a ModelProto by wire type: numbers, and bytes with a length.
_ONNX_NUMBERS: Final = frozenset({1, 5})
_ONNX_BYTES: Final = frozenset({2, 3, 4, 6, 7, 8, 14, 20, 25, 26})
_ONNX_GRAPH: Final = 7
_NEWEST_IR: Final = 30


@dataclass(frozen=True, slots=True)
class Header:
    """How a file begins, what it is called in lower case, and how large it is."""

    head: bytes
    name: str
    size_bytes: int

    def ends(self, *endings: str) -> bool:
        return self.name.endswith(endings)


def model_format(head: bytes, name: str, size_bytes: int) -> str:
    """The format of the model file that begins with ``head``; empty if it is none."""
    header = Header(head, name.lower(), size_bytes)
    return next((found for known in _FORMATS if (found := known(header))), "")


def _safetensors(file: Header) -> str:
    if len(file.head) < 10 or file.head[8:9] != b"{":
        return ""
    length = int.from_bytes(file.head[:8], "little")
    inside = 2 <= length <= min(file.size_bytes - 8, _MOST_HEADER)
    told = b'"dtype"' in file.head or b'"__metadata__"' in file.head
    return "safetensors" if inside and told else ""


def _gguf(file: Header) -> str:
    if file.head[:4] != b"GGUF" or len(file.head) < 8:
        return ""
    version = file.head[4:8]
    orders = (int.from_bytes(version, "little"), int.from_bytes(version, "big"))
    return "GGUF" if min(orders) in range(1, 16) else ""


def _ggml(file: Header) -> str:
    return "GGML" if file.head[:4] in {b"lmgg", b"fmgg", b"tjgg", b"algg"} else ""


def _zipped(file: Header) -> str:
    """What zip archives hold models: the name of the first member says it."""
    if file.head[:4] != b"PK\x03\x04" or len(file.head) < 30:
        return ""
    length = int.from_bytes(file.head[26:28], "little")
    first = file.head[30 : 30 + length]
    if first.endswith((b"/data.pkl", b"/byteorder", b"/.format_version")) or (
        first == b"data.pkl" and file.ends(".pt", ".pth", ".bin")
    ):
        return "PyTorch (zip)"
    if file.ends(".keras"):
        return "Keras"
    if file.ends(".mar"):
        return "TorchServe archive"
    return ""


def _hdf5(file: Header) -> str:
    if file.head[:8] != b"\x89HDF\r\n\x1a\n":
        return ""
    told = any(
        word in file.head
        for word in (b"keras_version", b"model_weights", b"model_config", b"layer_names")
    )
    return "Keras (HDF5)" if told or file.ends(".keras", ".weights.h5") else ""


def _tflite(file: Header) -> str:
    return "TensorFlow Lite" if file.head[4:8] == b"TFL3" else ""


def _saved_model(file: Header) -> str:
    is_one = file.name == "saved_model.pb" and file.head[:1] == b"\x08"
    return "TensorFlow SavedModel" if is_one else ""


def _core_ml(file: Header) -> str:
    return "Core ML" if file.ends(".mlmodel") and file.head[:1] == b"\x08" else ""


def _booster(file: Header) -> str:
    if file.head[:4] == b"CBM1":
        return "CatBoost"
    if file.head[:13] == b"tree\nversion=":
        return "LightGBM"
    if file.head[:400].lstrip().startswith((b'{"learner":', b'{"version":')):
        return "XGBoost" if b'"learner"' in file.head[:400] else ""
    return "XGBoost" if file.head[:20].startswith(b"{L") and b"learner" in file.head[:40] else ""


def _described(file: Header) -> str:
    """Formats that say so in XML."""
    begins = file.head[:2000]
    if b"<PMML" in begins:
        return "PMML"
    is_net = file.ends(".xml") and re.search(rb"<net\s[^>]*version=", begins) is not None
    return "OpenVINO" if is_net else ""


def _others(file: Header) -> str:
    if file.head[:4] == _FASTTEXT:
        return "fastText"
    if file.head[:4] == b"ptrt":
        return "TensorRT"
    return "PaddlePaddle" if file.ends(".pdmodel", ".pdiparams") else ""


def _onnx(file: Header) -> str:
    """A ``ModelProto``: known fields of the right type, then a graph that fills the file."""
    if not file.head or (file.head[0] != 0x08 and not file.ends(".onnx")):
        return ""
    seen, graph_bytes = _proto(file.head)
    if not seen or _ONNX_GRAPH not in seen:
        return ""
    is_whole = graph_bytes <= file.size_bytes
    is_named = file.ends(".onnx", ".ort") or bool(_ONNX_MAKERS.search(file.head[:200].lower()))
    return "ONNX" if is_whole and is_named else ""


def _proto(head: bytes) -> tuple[set[int], int]:
    """The fields at the top of a message up to its graph, and the bytes of that; none if odd."""
    seen: set[int] = set()
    at = 0
    while at < len(head):
        tag, at = _varint(head, at)
        number, wire = tag >> 3, tag & 7
        value, at = _varint(head, at)
        is_known = number in (_ONNX_NUMBERS if wire == 0 else _ONNX_BYTES if wire == 2 else ())
        if not is_known or (number == 1 and value > _NEWEST_IR):
            return set(), 0
        seen.add(number)
        if number == _ONNX_GRAPH:
            return seen, value
        at += value if wire == 2 else 0
    return seen, 0


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(raw) and shift < 64:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
    return 0, len(raw)


def _pickle(file: Header) -> str:
    return pickled_model(file.head, file.name)


_FORMATS: Final[tuple[Callable[[Header], str], ...]] = (
    *(_safetensors, _gguf, _ggml, _zipped, _hdf5, _tflite, _saved_model, _core_ml, _booster),
    *(_described, _others, _onnx, _pickle),
)
