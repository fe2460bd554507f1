"""What a file that is not ONNX is, by its first bytes: so that its refusal can say why.

Formats that run code when they are read, and archives, are never opened: not to look inside either,
for what is in them can be larger than any limit. ONNX is a protobuf message, and begins otherwise.
"""

import re
from typing import Final

_PICKLE: Final = "a pickle, which runs code when it is read"
_ARCHIVE: Final = "an archive"
_STARTS: Final = (
    (b"\x80\x02", _PICKLE),
    (b"\x80\x03", _PICKLE),
    (b"\x80\x04", _PICKLE),
    (b"\x80\x05", _PICKLE),
    (b"(dp", _PICKLE),
    (b"(lp", _PICKLE),
    (b"PK", "a zip archive, as torch, joblib and numpy write, which may hold a pickle"),
    (b"\x1f\x8b", _ARCHIVE),
    (b"BZh", _ARCHIVE),
    (b"\xfd7zXZ", _ARCHIVE),
    (b"7z\xbc\xaf", _ARCHIVE),
    (b"\x28\xb5\x2f\xfd", _ARCHIVE),
    (b"\x89HDF", "an HDF5 file, as Keras writes, which may hold code"),
    (b"\x93NUMPY", "a numpy array"),
    (b"GGUF", "a GGUF file"),
    (b"ORTM", "a file of onnxruntime's own"),
    (b"{", "JSON"),
    (b"#!", "a script"),
    (b"\x7fELF", "a program"),
)
_PICKLED_NAME: Final = re.compile(rb"c[A-Za-z_][\w.]*\n[A-Za-z_]\w*\n")  # protocols 0 and 1
_TAR: Final = (257, b"ustar", "a tar archive")
_JSON_AT: Final = 8  # a safetensors file: the length of its head in 8 bytes, then JSON


def other_format(raw: bytes) -> str | None:
    """What ``raw`` is, in words, where it is a known format and not ONNX."""
    for start, words in _STARTS:
        if raw.startswith(start):
            return words
    if _PICKLED_NAME.match(raw):
        return _PICKLE
    at, mark, words = _TAR
    if raw[at : at + len(mark)] == mark:
        return words
    length = int.from_bytes(raw[:_JSON_AT], "little")
    if raw[_JSON_AT : _JSON_AT + 1] == b"{" and length <= len(raw):
        return "a safetensors file: weights without a graph"
    return None
