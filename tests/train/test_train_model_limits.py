"""A model that means harm learns nothing to tell, loads nothing, and says nothing but labels."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from train_samples import DIM, Lab, argmax_model, bundle_of, graph, node, rows

from cipherset.core.errors import CiphersetError, DimensionError, InputError, PolicyError
from cipherset.core.manifest import Task, ValueRange
from cipherset.pipeline.train import Bundle, run_labels, run_values

X, _ = rows(50)
PICKLED_PRINT = b"cbuiltins\nprint\n(S'harm'\ntR."
FLOAT, INT64, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING


def refusal(model: onnx.ModelProto | bytes, task: Task = Task.CLASSIFICATION) -> str:
    raw = model if isinstance(model, bytes) else model.SerializeToString()
    run = run_labels if task is Task.CLASSIFICATION else run_values
    with pytest.raises((PolicyError, InputError)) as caught:
        run(bundle_of(raw, task), X)
    text = repr(caught.value) + caught.value.hint
    assert not any(str(number) in text for number in X[:, 0])
    return caught.value.code


def test_an_honest_model_runs():
    raw = argmax_model().SerializeToString()
    assert np.array_equal(run_labels(bundle_of(raw), X), X[:, :3].argmax(1))
    assert run_labels(bundle_of(raw), X[:0]).shape == (0,)


def test_a_question_for_each_place_of_a_run_gets_nothing_out():
    """A constant of shape (256, k) asks 256 questions of equal rows; alone it fits no row."""
    signs = np.random.default_rng(3).standard_normal((256, DIM)).astype(np.float32)
    nodes = [node("Mul", ["x", "m"], "z"), node("ArgMax", ["z"], axis=1, keepdims=0)]
    model = graph(nodes, constants={"m": signs}).SerializeToString()
    with pytest.raises(PolicyError) as caught:
        run_labels(bundle_of(model), np.repeat(X[:1], 256, axis=0))
    assert caught.value.code == "model_output"


def test_an_identity_graph_gets_nothing_out():
    plain = graph([node("Identity", ["x"])], output=(FLOAT, ["n", DIM]))
    assert refusal(plain) == "model_output"
    assert refusal(plain, Task.REGRESSION) == "model_output"
    first = [node("ArrayFeatureExtractor", ["x", "i"], domain="ai.onnx.ml")]
    one = graph(first, output=(FLOAT, ["n", 1]), constants={"i": np.array([0])})
    assert refusal(one) == "model_output"


@pytest.mark.parametrize("kind", [INT64, STRING])
def test_numbers_dressed_as_labels_get_nothing_out(kind):
    nodes = [
        node("ArrayFeatureExtractor", ["x", "i"], "one", domain="ai.onnx.ml"),
        node("Mul", ["one", "much"], "more"),
        node("Cast", ["more"], to=kind),
    ]
    constants = {"i": np.array([0]), "much": np.array(1e6, dtype=np.float32)}
    assert refusal(graph(nodes, output=(kind, ["n", 1]), constants=constants)) == "model_output"


def test_a_second_output_is_never_read():
    model = argmax_model()
    model.graph.output.append(helper.make_tensor_value_info("z", FLOAT, ["n", 3]))
    codes = run_labels(bundle_of(model.SerializeToString()), X)
    assert codes.dtype == np.int64
    assert codes.shape == (50,)


def test_a_number_says_at_most_eight_bits():
    """The identity of one coordinate, as a regression model: 256 different answers at most."""
    first = [node("ArrayFeatureExtractor", ["x", "i"], domain="ai.onnx.ml")]
    one = graph(first, output=(FLOAT, ["n", 1]), constants={"i": np.array([0])})
    bundle = bundle_of(one.SerializeToString(), Task.REGRESSION)
    wide = ValueRange(low=-1e-3, high=1e-3)
    leaky = Bundle(bundle.manifest.model_copy(update={"value_range": wide}), "", bundle.onnx)
    x = np.random.default_rng(0).standard_normal((5000, DIM)).astype(np.float32) * 1e-3
    assert len(np.unique(run_values(leaky, x))) <= 256
    none = Bundle(bundle.manifest.model_copy(update={"value_range": None}), "", bundle.onnx)
    with pytest.raises(PolicyError) as caught:
        run_values(none, x)
    assert caught.value.code == "model_output"


def test_infinite_answers_are_refused():
    nodes = [
        node("ArrayFeatureExtractor", ["x", "i"], "one", domain="ai.onnx.ml"),
        node("Div", ["one", "zero"]),
    ]
    constants = {"i": np.array([0]), "zero": np.zeros((), dtype=np.float32)}
    model = graph(nodes, output=(FLOAT, ["n", 1]), constants=constants)
    assert refusal(model, Task.REGRESSION) == "model_output"


def test_one_label_for_each_row():
    flat = graph([node("ArgMax", ["x"], axis=0, keepdims=0)], output=(INT64, ["k"]))
    assert refusal(flat) == "model_output"
    one = graph([node("ArgMax", ["x"], axis=1)], output=(INT64, ["n", 1]))
    bundle = bundle_of(one.SerializeToString())
    with pytest.raises(PolicyError):  # the fourth coordinate is not one of three classes
        run_labels(bundle, X)
    assert run_labels(bundle, np.eye(3, DIM, dtype=np.float32)).tolist() == [0, 1, 2]


def with_subgraph() -> onnx.ModelProto:
    inner = argmax_model().graph
    del inner.input[:]
    branch = helper.make_node("If", ["c"], ["label"], then_branch=inner, else_branch=inner)
    return graph([branch], constants={"c": np.array(True)})


def with_function() -> onnx.ModelProto:
    model = graph([node("Mine", ["x"], domain="")])
    model.functions.append(
        helper.make_function(
            "", "Mine", ["a"], ["b"], [node("ArgMax", ["a"], "b")], [helper.make_opsetid("", 17)]
        )
    )
    return model


OPERATORS = {
    "if": with_subgraph(),
    "loop": graph([node("Loop", ["", "", "x"], body=argmax_model().graph)]),
    "a custom domain": graph(
        [node("Shell", ["x"], domain="evil")], domains=("", "ai.onnx.ml", "evil")
    ),
    "a vendor's domain": graph(
        [node("Gelu", ["x"], domain="com.microsoft")], domains=("", "com.microsoft")
    ),
    "a domain that is only named": graph(
        [node("ArgMax", ["x"], axis=1, keepdims=0)], domains=("", "com.microsoft")
    ),
    "random numbers": graph([node("RandomNormalLike", ["x"])], output=(FLOAT, ["n", DIM])),
    "where": graph(
        [node("Equal", ["x", "x"], "c"), node("Where", ["c", "x", "x"])],
        output=(FLOAT, ["n", DIM]),
    ),
    "zipmap": graph([node("ZipMap", ["x"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2, 3])]),
}


@pytest.mark.parametrize("model", OPERATORS.values(), ids=OPERATORS.keys())
def test_operators_that_are_not_named_are_refused(model):
    assert refusal(model) == "model_operator"


def test_functions_of_its_own_are_refused():
    assert refusal(with_function()) == "model_form"


def test_a_graph_hidden_in_an_allowed_operator_is_refused():
    model = argmax_model()
    model.graph.node[0].attribute.append(helper.make_attribute("body", argmax_model().graph))
    assert refusal(model) == "model_form"


@pytest.mark.parametrize("where", ["weights", "constant", "location only", "entries only"])
def test_data_outside_the_file_is_refused(where, tmp_path, monkeypatch):
    (tmp_path / "secret").write_bytes(np.zeros((DIM, 3), "f4").tobytes())
    monkeypatch.chdir(tmp_path)
    model = argmax_model()
    tensor = model.graph.initializer[0]
    if where == "constant":
        constant = TensorProto()
        constant.CopyFrom(tensor)
        constant.name = "w"
        del model.graph.initializer[:]
        model.graph.node.insert(0, node("Constant", [], "w", value=constant))
        tensor = model.graph.node[0].attribute[0].t
    if where != "entries only":
        tensor.data_location = TensorProto.EXTERNAL
    if where != "location only":
        tensor.external_data.add(key="location", value="secret")
    if where != "entries only":
        tensor.ClearField("raw_data")
    assert refusal(model) == "model_form"


def test_a_graph_under_a_false_type_is_refused():
    model = argmax_model()
    hidden = helper.make_attribute("body", argmax_model().graph)
    hidden.type = onnx.AttributeProto.INT
    model.graph.node[0].attribute.append(hidden)
    assert refusal(model) == "model_form"


def test_a_model_that_onnx_itself_refuses_is_refused():
    model = argmax_model()
    model.graph.node[0].input[1] = "nowhere"
    assert refusal(model) == "not_onnx"


def test_sparse_weights_are_refused():
    model = argmax_model()
    sparse = model.graph.sparse_initializer.add()
    sparse.values.CopyFrom(helper.make_tensor("s", FLOAT, [1], [1.0]))
    sparse.indices.CopyFrom(helper.make_tensor("i", INT64, [1], [0]))
    sparse.dims.append(3)
    assert refusal(model) == "model_form"


INPUTS = {
    "two inputs": "model_form",
    "an int64 input": "model_form",
    "three axes": "model_form",
    "another width": "model_dim",
    "any width": "model_dim",
}


@pytest.mark.parametrize(("case", "code"), INPUTS.items())
def test_there_is_one_input_of_the_right_width(case, code):
    given = {
        "an int64 input": (INT64, ["n", DIM]),
        "three axes": (FLOAT, ["n", DIM, 1]),
        "another width": (FLOAT, ["n", DIM + 1]),
        "any width": (FLOAT, ["n", "k"]),
    }.get(case, (FLOAT, ["n", DIM]))
    model = graph([node("ArgMax", ["x"], axis=1, keepdims=0)], given=given)
    if case == "two inputs":
        model.graph.input.append(helper.make_tensor_value_info("y", FLOAT, ["n", DIM]))
    assert refusal(model) == code


def test_no_output_is_refused():
    model = argmax_model()
    del model.graph.output[:]
    assert refusal(model) == "model_output"


def test_what_is_not_onnx_is_refused():
    raw = argmax_model().SerializeToString()
    for junk in (b"", raw[:50], b"\xff" * 300):
        assert refusal(junk) == "not_onnx"
    for other in (b"\x80\x04.", PICKLED_PRINT, b"{}"):
        assert refusal(other) == "model_format"


def test_corrupt_models_fail_in_our_words():
    raw = argmax_model().SerializeToString()
    rng = np.random.default_rng(1)
    for _ in range(200):
        corrupt = bytearray(raw)
        corrupt[rng.integers(len(raw))] ^= int(rng.integers(1, 256))
        try:
            codes = run_labels(bundle_of(bytes(corrupt)), X)
        except CiphersetError:
            continue
        assert set(codes.tolist()) <= {0, 1, 2}


def test_a_large_model_is_refused(monkeypatch):
    monkeypatch.setattr("cipherset.pipeline.train.check.MOST_BYTES", 100)
    assert refusal(argmax_model()) == "model_bytes"


def test_a_graph_that_fails_as_it_runs_is_refused():
    nodes = [
        node("Reshape", ["x", "shape"], "y"),
        node("ArgMax", ["y"], axis=1, keepdims=0),
    ]
    model = graph(nodes, constants={"shape": np.array([7, 13])})
    assert refusal(model) == "model_output"


@pytest.mark.parametrize(
    ("x", "code"),
    [
        (np.zeros((3, DIM + 1), "f4"), "dimension"),
        (np.zeros(DIM, "f4"), "dimension"),
        (np.full((3, DIM), np.inf, "f4"), "not_finite"),
    ],
)
def test_rows_of_another_form_are_refused(x, code):
    bundle = bundle_of(argmax_model().SerializeToString())
    with pytest.raises(InputError) as caught:
        run_labels(bundle, x)
    assert caught.value.code == code
    assert (code == "dimension") == isinstance(caught.value, DimensionError)


def test_a_bundle_answers_only_its_own_task():
    bundle = bundle_of(argmax_model().SerializeToString())
    with pytest.raises(InputError) as caught:
        run_values(bundle, X)
    assert caught.value.code == "task"
    assert Lab(Task.CLASSIFICATION).manifest.task is bundle.manifest.task
