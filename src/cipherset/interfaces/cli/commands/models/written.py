"""How a bundle that was written is shown, whoever trained its model."""

from pathlib import Path
from typing import Any, Final

from cipherset.core.objects import ObjectFolder
from cipherset.interfaces.cli.output import promise_rows
from cipherset.pipeline.export import open_cipherset
from cipherset.pipeline.train import Bundle

Row = tuple[str, str]
_NOISY: Final = ("", "measured on noisy rows; where the key is, queries carry no noise")
_DRAWN: Final = ("", "measured on drawn rows; where the key is, queries are of real ones")


def measured_on(cipherset: Path | ObjectFolder) -> Row:
    """What the rows of a cipherset are that figures of the lab are measured on."""
    return _NOISY if open_cipherset(cipherset).manifest.synthetic is None else _DRAWN


def as_json(bundle: Bundle, target: Path) -> dict[str, Any]:
    """The command's JSON."""
    manifest = bundle.manifest
    figure = "r2" if "r2" in manifest.metrics else "accuracy"
    return {
        "bundle": str(target),
        "model": manifest.model.value,
        "lab_accuracy": manifest.metrics.get(figure),
        "metrics": dict(manifest.metrics),
        "privacy": None if manifest.privacy is None else manifest.privacy.model_dump(mode="json"),
        "at_gate": manifest.at_gate,
        "key_id": manifest.key_id,
        "key_version": manifest.key_version,
    }


def as_rows(bundle: Bundle, told: list[Row]) -> list[Row]:
    """The command's table; ``told`` comes after the figures."""
    manifest = bundle.manifest
    rows = [(name, f"{value:.4f}") for name, value in manifest.metrics.items() if name != "n"]
    key = f"{manifest.key_id} v{manifest.key_version}"
    kept = promise_rows(as_json(bundle, Path())["privacy"])
    return [*rows, *told, *kept, ("model", manifest.model.value), ("key", key)]
