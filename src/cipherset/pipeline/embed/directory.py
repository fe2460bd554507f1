"""A sentence-transformers model directory: what it declares, and whether this room can honor it.

Read: modules.json, the configurations it points at, config.json, tokenizer.json and
model.safetensors. Whatever would make our vectors differ from that library's is refused.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cipherset.core.canonical import digest_bytes
from cipherset.core.files import disk_errors
from cipherset.pipeline.embed.identity import (
    BertSettings,
    EncoderIdentity,
    Pooling,
    unsupported,
)
from cipherset.pipeline.embed.weights import WeightsFormat

_FORM: Final = WeightsFormat.SAFETENSORS
_REQUIRED: Final = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
    "is_decoder": False,
}
_POOLINGS: Final = {
    "mean": Pooling.MEAN,
    "cls": Pooling.CLS,
    "pooling_mode_mean_tokens": Pooling.MEAN,
    "pooling_mode_cls_token": Pooling.CLS,
}
_Json = Mapping[str, Any]
_MOST: Final = 2**31  # of heads, of positions: of anything that a model has


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The bytes an encoder is built from, and what they are."""

    identity: EncoderIdentity
    weights: bytes
    weights_format: WeightsFormat
    tokenizer: bytes


def read_directory(path: Path) -> ModelFiles:
    """The model in ``path``, of the BERT family, with mean or first-token pooling.

    Raises:
        InputError: ``encoder_unsupported``; the message names what it found.
        BackendError: ``disk`` or ``no_permission``.
    """
    modules = _modules(_json(path / "modules.json"))
    inner = path / modules[0]
    config = _object(inner / "config.json")
    for name, wanted in _REQUIRED.items():
        if config.get(name, wanted) != wanted:
            raise unsupported(f"config.json has {name} {config[name]!r}, not {wanted!r}")
    if "model_type" not in config:
        raise unsupported("config.json names no model_type")
    _refuse_prompts(path)
    settings = BertSettings(
        n_heads=int(_number(config, "num_attention_heads")),
        layer_norm_epsilon=float(_number(config, "layer_norm_eps", default=1e-12)),
        pooling=_pooling(_object(path / modules[1] / "config.json")),
        max_tokens=_max_tokens(inner, config),
    )
    weights, tokenizer = _bytes(inner / "model.safetensors"), _bytes(inner / "tokenizer.json")
    identity = EncoderIdentity(digest_bytes(weights), digest_bytes(tokenizer), settings)
    return ModelFiles(identity, weights, _FORM, tokenizer)


def _modules(listed: object) -> list[str]:
    """The folders of the modules; a Transformer, a Pooling and perhaps a Normalize, in order."""
    try:
        kinds = [str(each["type"]).rpartition(".")[2] for each in listed]  # type: ignore[attr-defined]
        folders = [str(each["path"]) for each in listed]  # type: ignore[attr-defined]
    except (TypeError, KeyError):
        raise unsupported("modules.json is no list of modules") from None
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise unsupported(f"its modules are {', '.join(kinds)}, not Transformer and Pooling")
    return folders


def _pooling(config: _Json) -> Pooling:
    """From either form: one named mode, or a flag for each."""
    mode = config.get("pooling_mode")
    flags = [name for name, on in config.items() if name.startswith("pooling_mode_") and on]
    chosen = flags if mode is None else [mode]
    found = _POOLINGS.get(str(chosen[0])) if len(chosen) == 1 else None
    if found is None:
        raise unsupported(f"its pooling is {', '.join(map(str, chosen))}, not mean or cls")
    return found


def _max_tokens(inner: Path, config: _Json) -> int:
    """The first length that is declared, as that library looks for it; never above positions."""
    positions = int(_number(config, "max_position_embeddings"))
    declared = None
    for name, key in (
        ("sentence_bert_config.json", "max_seq_length"),
        ("tokenizer_config.json", "model_max_length"),
    ):
        if declared is None and (inner / name).exists():
            found = _object(inner / name)
            if name.startswith("sentence") and found.get("do_lower_case"):
                raise unsupported(f"{name} asks for lower case before the tokenizer")
            declared = found.get(key)
    if not isinstance(declared, int | float):
        return positions
    # Room for one word piece between its marks; what is declared may be endless, or no number.
    return int(max(3, min(positions, declared)))


def _refuse_prompts(path: Path) -> None:
    name = "config_sentence_transformers.json"
    if (path / name).exists() and _object(path / name).get("default_prompt_name") is not None:
        raise unsupported(f"{name} puts a prompt before each text")


def _number(config: _Json, name: str, *, default: float | None = None) -> float:
    found = config.get(name, default)
    if not isinstance(found, int | float) or not 0 < found < _MOST:
        raise unsupported(f"config.json has {name} {found!r}, not a positive number")
    return found


def _object(path: Path) -> _Json:
    found = _json(path)
    if not isinstance(found, dict):
        raise unsupported(f"{path.name} is not a JSON object")
    return found


def _json(path: Path) -> Any:  # noqa: ANN401 -- any JSON value
    raw = _bytes(path)
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise unsupported(f"{path.name} is not JSON") from None


def _bytes(path: Path) -> bytes:
    with disk_errors(path):
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise unsupported(f"{path.name} is missing from {path.parent}") from None
