"""A sentence-transformers directory is read as that library would, or refused."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from cipherset.app.encoders import open_encoder
from cipherset.core.errors import BackendError, InputError, IntegrityError, UsageError
from cipherset.pipeline.embed import Pooling, WeightsFormat, read_bundle, read_directory
from cipherset.pipeline.embed.weights import read_tensors

TEXTS = ["my card is lost", "new cards ?", ""]


def test_it_opens_and_says_what_it_is(tiny, tiny_directory):
    assert (tiny.name, tiny.dim) == ("tiny-bert", 24)
    assert tiny.digest == read_directory(tiny_directory).identity.digest


def test_the_digest_is_that_of_the_contents(tiny, changed_directory, tmp_path):
    same = open_encoder(str(changed_directory("config.json", note="no part of it")), tmp_path)
    assert same.digest == tiny.digest
    np.testing.assert_array_equal(same.encode(TEXTS), tiny.encode(TEXTS))


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("config.json", {"num_attention_heads": 4}),
        ("config.json", {"layer_norm_eps": 1e-5}),
        ("1_Pooling/config.json", {"pooling_mode": "cls"}),
        ("sentence_bert_config.json", {"max_seq_length": 11}),
    ],
)
def test_whatever_changes_vectors_changes_the_digest(tiny, changed_directory, file, values):
    assert read_directory(changed_directory(file, **values)).identity.digest != tiny.digest


def test_other_weights_change_the_digest(tiny, changed_directory, tiny_tensors):
    directory = changed_directory("config.json")
    save_file(
        {name: each + np.float32(1e-3) for name, each in tiny_tensors.items()},
        directory / "model.safetensors",
    )
    assert read_directory(directory).identity.digest != tiny.digest


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ({"pooling_mode": "cls"}, Pooling.CLS),
        ({"pooling_mode": None, "pooling_mode_cls_token": True}, Pooling.CLS),
        (
            {
                "pooling_mode": None,
                "pooling_mode_cls_token": False,
                "pooling_mode_mean_tokens": True,
            },
            Pooling.MEAN,
        ),
    ],
)
def test_both_forms_of_pooling_are_read(changed_directory, pooling, expected):
    directory = changed_directory("1_Pooling/config.json", **pooling)
    assert read_directory(directory).identity.settings.pooling is expected


@pytest.mark.parametrize(
    ("own", "tokenizers", "expected"),
    [
        *((12, 14, 12), (None, 14, 14), (None, 1e30, 16), (None, None, 16), (99, None, 16)),
        *((float("inf"), None, 16), (float("nan"), None, 16), (10**400, None, 16), (-1e999, 9, 3)),
    ],
)
def test_the_length_is_the_first_declared_up_to_the_positions(
    changed_directory, own, tokenizers, expected
):
    changed_directory("tokenizer_config.json", model_max_length=tokenizers)
    directory = changed_directory("sentence_bert_config.json", max_seq_length=own)
    assert read_directory(directory).identity.settings.max_tokens == expected


@pytest.mark.parametrize(
    ("file", "values", "names"),
    [
        ("config.json", {"model_type": "mpnet"}, "model_type 'mpnet'"),
        ("config.json", {"model_type": None}, "no model_type"),
        ("config.json", {"hidden_act": "gelu_new"}, "hidden_act"),
        ("config.json", {"position_embedding_type": "relative_key"}, "position_embedding_type"),
        ("config.json", {"is_decoder": True}, "is_decoder"),
        ("config.json", {"num_attention_heads": None}, "num_attention_heads None"),
        ("config.json", {"layer_norm_eps": "small"}, "layer_norm_eps 'small'"),
        ("config.json", {"layer_norm_eps": float("nan")}, "layer_norm_eps nan"),
        ("config.json", {"num_attention_heads": float("inf")}, "num_attention_heads inf"),
        ("1_Pooling/config.json", {"pooling_mode": "max"}, "pooling is max"),
        ("1_Pooling/config.json", {"pooling_mode": None}, "pooling is "),
        (
            "1_Pooling/config.json",
            {
                "pooling_mode": None,
                "pooling_mode_mean_tokens": True,
                "pooling_mode_cls_token": True,
            },
            "pooling is pooling_mode_mean_tokens, pooling_mode_cls_token",
        ),
        ("sentence_bert_config.json", {"do_lower_case": True}, "lower case"),
        ("config_sentence_transformers.json", {"default_prompt_name": "query"}, "prompt"),
    ],
)
def test_a_model_that_would_give_other_vectors_is_refused(changed_directory, file, values, names):
    _refused(changed_directory(file, **values), names)


@pytest.mark.parametrize(
    ("file", "text", "names"),
    [
        ("modules.json", '[{"path": "", "type": "x.Transformer"}]', "modules are Transformer"),
        ("modules.json", '{"a": 1}', "no list of modules"),
        ("modules.json", "[1]", "no list of modules"),
        ("config.json", "{", "config.json is not JSON"),
        ("config.json", "[" * 200_000, "config.json is not JSON"),
        ("config.json", "[]", "config.json is not a JSON object"),
        ("tokenizer.json", "{}", "tokenizer.json cannot be read"),
        ("tokenizer.json", b"\xff", "tokenizer.json is not UTF-8"),
        ("model.safetensors", "nothing", "model.safetensors cannot be read"),
    ],
)
def test_a_broken_file_is_refused(changed_directory, tmp_path, file, text, names):
    directory = changed_directory("config.json")
    raw = text if isinstance(text, bytes) else text.encode()
    (directory / file).write_bytes(raw)
    _refused(directory, names, tmp_path)


@pytest.mark.parametrize(
    "file", ["modules.json", "config.json", "tokenizer.json", "model.safetensors"]
)
def test_a_missing_file_is_refused(changed_directory, file):
    directory = changed_directory("config.json")
    (directory / file).unlink()
    _refused(directory, f"{file} is missing")


def test_a_tokenizer_without_marks_is_refused(changed_directory, tmp_path):
    directory = changed_directory("tokenizer.json", post_processor=None)
    _refused(directory, "mark an empty text", tmp_path)


def test_a_prefix_and_half_precision_are_understood(
    tiny, changed_directory, tiny_tensors, tmp_path
):
    directory = changed_directory("config.json")
    prefixed = {f"bert.{name}": each.astype(np.float16) for name, each in tiny_tensors.items()}
    save_file(prefixed | {"cls.bias": np.zeros(3)}, directory / "model.safetensors")
    vectors = open_encoder(str(directory), tmp_path).encode(TEXTS)
    np.testing.assert_allclose(vectors, tiny.encode(TEXTS), atol=0.02)


def test_weights_of_something_else_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"conv.weight": np.zeros(3)}, path)
    with pytest.raises(InputError, match="word_embeddings") as refusal:
        read_tensors(path.read_bytes(), WeightsFormat.SAFETENSORS)
    assert refusal.value.code == "encoder_unsupported"


def test_an_exported_graph_gives_back_the_weights(tiny_tensors):
    """The exporter turned the matrices around and forgot what they are called."""
    found = read_tensors(exported(tiny_tensors), WeightsFormat.ONNX_EXPORT)
    assert tiny_tensors.keys() <= found.keys()
    for name, values in tiny_tensors.items():
        np.testing.assert_array_equal(found[name], values)


def test_bytes_that_are_no_graph_are_refused():
    with pytest.raises(InputError, match="ONNX") as refusal:
        read_tensors(b"\xff\xff", WeightsFormat.ONNX_EXPORT)
    assert refusal.value.code == "encoder_unsupported"


@pytest.mark.parametrize("file", ["graph-1.onnx", "graph-1.onnx.sha256", "tokenizer.json"])
def test_one_flipped_bit_in_the_cache_is_found(tiny_directory, tmp_path, file):
    open_encoder(str(tiny_directory), tmp_path)
    (path,) = tmp_path.rglob(file)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(IntegrityError) as refusal:
        open_encoder(str(tiny_directory), tmp_path)
    assert refusal.value.code == "encoder_digest"
    assert "rm -r" in refusal.value.hint


def test_a_folder_without_an_encoder_is_missing_it(tiny_directory, tmp_path):
    identity = read_directory(tiny_directory).identity
    with pytest.raises(BackendError) as refusal:
        read_bundle(tmp_path, name="tiny", identity=identity, mend="run this")
    assert (refusal.value.code, refusal.value.hint) == ("encoder_missing", "run this")


def test_neither_name_nor_folder(tmp_path):
    with pytest.raises(UsageError, match="nowhere") as refusal:
        open_encoder("nowhere", tmp_path)
    assert refusal.value.code == "encoder_unknown"
    assert "minilm-l6-v2" in refusal.value.hint


def test_a_cache_that_cannot_be_made(tiny_directory, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BackendError) as refusal:
        open_encoder(str(tiny_directory), tmp_path / "file")
    assert refusal.value.code == "disk"


def _refused(directory, names, cache=None):
    with pytest.raises(InputError, match=names) as refusal:
        open_encoder(str(directory), cache or directory / "no-cache")
    assert refusal.value.code == "encoder_unsupported"
    assert "--vector" in refusal.value.hint


def exported(tensors):
    """A graph of nothing but linear layers, as torch writes them."""
    constants, nodes = [], []
    for number, (name, values) in enumerate(tensors.items()):
        weight = f"{name.removesuffix('bias')}weight"
        if name.endswith("bias") and tensors[weight].ndim == 2:
            held = numpy_helper.from_array(np.ascontiguousarray(tensors[weight].T), f"m{number}")
            constants.append(held)
            nodes.append(helper.make_node("MatMul", ["x", f"m{number}"], [f"y{number}"]))
            nodes.append(helper.make_node("Add", [f"auto.{name}", f"y{number}"], [f"z{number}"]))
        if values.ndim == 1 or name.startswith("embeddings"):
            constants.append(numpy_helper.from_array(values, f"auto.{name}"))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None])
    graph = helper.make_graph(nodes, "exported", [x], [], constants)
    return onnx.helper.make_model(graph).SerializeToString()
