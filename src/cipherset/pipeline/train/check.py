"""What a model may be made of; it comes from the lab and runs beside noise-free vectors.

Only operators that the model families here need, all of them pure functions of one row's
numbers: no loops, no branches, no functions of its own, no custom domains, no files beside it.
What is not named here is refused, so a new runtime cannot widen what a model may do.

This bounds what a model can *do*, not what its answer *says*: that is ``run``'s part. It does
not bound time or memory beyond the size of the file: the process that runs models does.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

from cipherset.core.errors import DimensionError, InputError, PolicyError
from cipherset.core.manifest import Task
from cipherset.pipeline.train.formats import other_format

# Boosted trees for a hundred classes take 30 MB; anything near 64 MB is a store, not a model.
MOST_BYTES: Final = 64_000_000
ALLOWED: Final = {
    # linear and small neural models, as scikit-learn, torch and hand-made graphs write them
    "": frozenset(
        {
            "Add",
            "ArgMax",
            "Cast",
            "Concat",
            "Constant",
            "Div",
            "Elu",
            "Flatten",
            "Gelu",
            "Gemm",
            "Identity",
            "LayerNormalization",
            "LeakyRelu",
            "MatMul",
            "Mul",
            "Relu",
            "Reshape",
            "Sigmoid",
            "Softmax",
            "Squeeze",
            "Sub",
            "Tanh",
            "Unsqueeze",
        }
    ),
    # linear models and trees, as the converters of scikit-learn, LightGBM and XGBoost write them
    "ai.onnx.ml": frozenset(
        {
            "ArrayFeatureExtractor",
            "LinearClassifier",
            "LinearRegressor",
            "Normalizer",
            "Scaler",
            "TreeEnsembleClassifier",
            "TreeEnsembleRegressor",
        }
    ),
}
# Not among them: graphs, sparse tensors, types, references to a function's own attributes.
_ATTRIBUTE_FIELDS: Final = frozenset(
    {
        "name",
        "doc_string",
        "type",
        "f",
        "i",
        "s",
        "t",
        "floats",
        "ints",
        "strings",
        "tensors",
    }
)
_LABELS: Final = {
    Task.CLASSIFICATION: frozenset({TensorProto.INT64, TensorProto.STRING}),
    Task.REGRESSION: frozenset({TensorProto.FLOAT, TensorProto.DOUBLE}),
    Task.MULTILABEL: frozenset({TensorProto.INT64}),
}
_EXPECTED: Final = {
    Task.CLASSIFICATION: "a class (int64 or string)",
    Task.REGRESSION: "a number",
    Task.MULTILABEL: "0 or 1 for each label (int64)",
}
_EXPORT: Final = "train and convert the model again; docs name the operators that are allowed"


@dataclass(frozen=True, slots=True)
class CheckedModel:
    """The very bytes that were checked, its input, and the outputs that may be read.

    ``scores``: the second output, where it could hold one probability for each class.
    """

    onnx: bytes = field(repr=False)
    input: str
    output: str
    scores: str | None = None


def check_model(raw: bytes, *, dim: int, task: Task) -> CheckedModel:
    """``raw`` as a model that may run: vectors (n, dim) in, the label first among the outputs.

    Raises:
        InputError: not ONNX.
        DimensionError: it takes vectors of another width.
        PolicyError: too large, an operator that is not allowed, data outside the file, more
            than one input, or a first output that is not a label.
    """
    model = _parse(raw)
    _check_parts(model)
    for node in model.graph.node:
        _check_node(node)
    _check_stored(_tensors(model))
    checked = CheckedModel(
        onnx=model.SerializeToString(),
        input=_check_input(model, dim),
        output=_check_output(model, task),
        scores=_scores(model, task),
    )
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError):
        raise _not_onnx() from None
    return checked


def _parse(raw: bytes) -> ModelProto:
    if len(raw) > MOST_BYTES:
        raise PolicyError(
            f"the model has {len(raw)} bytes, at most {MOST_BYTES} are allowed",
            code="model_bytes",
            hint="train a smaller model",
        )
    other = other_format(raw)
    if other is not None:
        raise InputError(
            f"the model is not ONNX: it is {other}",
            code="model_format",
            hint="save it as ONNX; nothing else is ever opened",
        )
    try:
        model = onnx.load_model_from_string(raw)
        # What this version cannot name it cannot check either.
        model.DiscardUnknownFields()
    except (DecodeError, ValueError):
        raise _not_onnx() from None
    if not model.ir_version or not model.HasField("graph"):
        raise _not_onnx()
    return model


def _check_parts(model: ModelProto) -> None:
    if model.functions or model.training_info or model.graph.sparse_initializer:
        raise _form("the model has functions, training steps or sparse tensors of its own")
    domains = {entry.domain for entry in model.opset_import}
    if not domains <= set(ALLOWED):
        raise PolicyError(
            f"operator set {min(domains - set(ALLOWED))!r} is not allowed",
            code="model_operator",
            hint=_EXPORT,
        )


def _check_node(node: NodeProto) -> None:
    if node.op_type not in ALLOWED.get(node.domain, frozenset()):
        raise PolicyError(
            f"operator {f'{node.domain}.{node.op_type}'.lstrip('.')!r} is not allowed",
            code="model_operator",
            hint=_EXPORT,
        )
    for attribute in node.attribute:
        # By what it holds, not by the type it claims to have.
        if {field.name for field, _ in attribute.ListFields()} - _ATTRIBUTE_FIELDS:
            raise _form(f"operator {node.op_type!r} holds more than numbers and names")


def _tensors(model: ModelProto) -> Iterable[TensorProto]:
    yield from model.graph.initializer
    for node in model.graph.node:
        for attribute in node.attribute:
            yield attribute.t
            yield from attribute.tensors


def _check_stored(tensors: Iterable[TensorProto]) -> None:
    for tensor in tensors:
        if tensor.data_location != TensorProto.DEFAULT or tensor.external_data:
            raise _form("the model keeps data outside its file")


def _check_input(model: ModelProto, dim: int) -> str:
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    if len(inputs) != 1 or _element(inputs[0]) != TensorProto.FLOAT:
        raise _form("the model does not take exactly one float32 input")
    shape = inputs[0].type.tensor_type.shape.dim
    if len(shape) != 2:
        raise _form(f"the model's input has {len(shape)} axes, not (n, dim)")
    if shape[1].dim_value != dim:
        raise DimensionError(
            f"the model takes vectors of width {shape[1].dim_value or 'unknown'}, not {dim}",
            code="model_dim",
            hint="train it on the cipherset that the bundle names, and fix the input's width",
        )
    return str(inputs[0].name)


def _check_output(model: ModelProto, task: Task) -> str:
    first = model.graph.output[0] if model.graph.output else ValueInfoProto()
    if _element(first) not in _LABELS[task]:
        raise PolicyError(
            f"the model's first output is not {_EXPECTED[task]}",
            code="model_output",
            hint="make the predicted label the first output",
        )
    return str(first.name)


def _scores(model: ModelProto, task: Task) -> str | None:
    outputs = model.graph.output
    if task is not Task.CLASSIFICATION or len(outputs) < 2:
        return None
    second = outputs[1]
    return str(second.name) if _element(second) == TensorProto.FLOAT else None


def _element(value: ValueInfoProto) -> int:
    """The tensor's element type; UNDEFINED for sequences, maps and optionals."""
    return int(value.type.tensor_type.elem_type)


def _form(message: str) -> PolicyError:
    return PolicyError(message, code="model_form", hint=_EXPORT)


def _not_onnx() -> InputError:
    return InputError("the model is not valid ONNX", code="not_onnx", hint="save it as ONNX")
