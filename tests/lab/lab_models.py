"""Bundles by hand: honest ones, and what an uploaded model may try on sealed rows."""

import numpy as np
from onnx import TensorProto, helper
from serving_models import graph

from cipherset.core.manifest import BundleManifest, ModelKind, manifest_bytes
from cipherset.pipeline.export import open_cipherset
from cipherset.pipeline.train import describe

FAR = 1e-3
LABEL = ("label", TensorProto.INT64, [None])


def cast(name):
    return helper.make_node("Cast", [name], ["label"], to=TensorProto.INT64)


def near(point):
    """Nodes that say 1 of a row within ``FAR`` of ``point`` and 0 of others, as ``hit`` (n, 1).

    ``relu(1 - |x - point|^2 / FAR^2)`` is above 0 there; a large factor and the sigmoid do the
    rest.
    """
    nodes = [
        helper.make_node("Sub", ["x", "point"], ["gap"]),
        helper.make_node("Mul", ["gap", "gap"], ["squares"]),
        helper.make_node("MatMul", ["squares", "ones"], ["distance"]),
        helper.make_node("Sub", ["limit", "distance"], ["inside"]),
        helper.make_node("Mul", ["inside", "steep"], ["steeper"]),
        helper.make_node("Sigmoid", ["steeper"], ["hit"]),
    ]
    constants = {
        "point": point.astype("f4").reshape(1, -1),
        "ones": np.ones((len(point), 1), "f4"),
        "limit": np.array([[FAR**2]], "f4"),
        "steep": np.array([[1e9]], "f4"),
    }
    return nodes, constants


def always(label, *, dim):
    """One class for every row."""
    nodes = [
        helper.make_node("MatMul", ["x", "zeros"], ["flat"]),
        helper.make_node("Add", ["flat", "class"], ["number"]),
        helper.make_node("Squeeze", ["number", "axis"], ["one"]),
        cast("one"),
    ]
    constants = {
        "zeros": np.zeros((dim, 1), "f4"),
        "class": np.array([[label]], "f4"),
        "axis": np.array([1], "i8"),
    }
    return graph(nodes, [LABEL], constants, dim=dim)


def but_for(point, label, other):
    """One class for every row, another for the one at ``point``."""
    nodes, constants = near(point)
    nodes += [
        helper.make_node("Mul", ["hit", "change"], ["changed"]),
        helper.make_node("Add", ["changed", "class"], ["number"]),
        helper.make_node("Add", ["number", "half"], ["rounded"]),
        helper.make_node("Squeeze", ["rounded", "axis"], ["one"]),
        cast("one"),
    ]
    constants |= {
        "change": np.array([[other - label]], "f4"),
        "class": np.array([[label]], "f4"),
        "half": np.array([[0.5]], "f4"),
        "axis": np.array([1], "i8"),
    }
    return graph(nodes, [LABEL], constants, dim=len(point))


def spoiled_by(point):
    """Class 0, but where any row of the run is at ``point``: then class 1 for all of them."""
    nodes, constants = near(point)
    nodes += [
        helper.make_node("Softmax", ["scaled"], ["weights"], axis=0),
        helper.make_node("Mul", ["weights", "hit"], ["weighed"]),
        helper.make_node("Reshape", ["weighed", "row"], ["across"]),
        helper.make_node("MatMul", ["across", "weights_"], ["any"]),
        helper.make_node("Mul", ["x", "nothing"], ["gone"]),
        helper.make_node("MatMul", ["gone", "ones"], ["zero"]),
        helper.make_node("Add", ["zero", "any"], ["number"]),
        helper.make_node("Add", ["number", "half"], ["rounded"]),
        helper.make_node("Squeeze", ["rounded", "axis"], ["one"]),
        cast("one"),
    ]
    nodes.insert(6, helper.make_node("Mul", ["hit", "large"], ["scaled"]))
    nodes.insert(9, helper.make_node("Reshape", ["weights", "column"], ["weights_"]))
    constants |= {
        "large": np.array([[50.0]], "f4"),
        "row": np.array([1, -1], "i8"),
        "column": np.array([-1, 1], "i8"),
        "nothing": np.array([[0.0]], "f4"),
        "half": np.array([[0.5]], "f4"),
        "axis": np.array([1], "i8"),
    }
    return graph(nodes, [LABEL], constants, dim=len(point))


def uploaded(owner, onnx, *, note=0.0, gate_dim=None, **changes) -> tuple[bytes, bytes]:
    """``bundle.json`` and the model, as somebody who holds the cipherset may write them.

    ``note`` makes another bundle of the same model; ``changes`` are lies.
    """
    cipherset = open_cipherset(owner.cipherset)
    manifest = describe(onnx, cipherset, {"note": note}, kind=ModelKind.EXTERNAL, gate_dim=gate_dim)
    if changes:
        manifest = BundleManifest.model_validate(manifest.model_dump(by_alias=True) | changes)
    return manifest_bytes(manifest), onnx
