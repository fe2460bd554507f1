"""The real encoder from the cache, and a tiny BERT with random weights for everything else."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from cipherset.app.encoders import DEFAULT_ENCODER, open_encoder
from cipherset.core.errors import BackendError, IntegrityError
from cipherset.interfaces.cli.settings import cache

DIM, HEADS, LAYERS, POSITIONS = 24, 3, 2, 16
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "card", "lost", "my", "is", "##s", "new", "?"]


@pytest.fixture(scope="session")
def cache_dir():
    return cache()


@pytest.fixture(scope="session")
def minilm(cache_dir):
    try:
        return open_encoder(DEFAULT_ENCODER, cache_dir)
    except (BackendError, IntegrityError) as error:
        pytest.fail(f"the set-up did not bring the weights: {error.message}; {error.hint}")


@pytest.fixture(scope="session")
def tiny_directory(tmp_path_factory):
    """Read only: tests that change it take ``changed_directory``."""
    return _write_directory(tmp_path_factory.mktemp("tiny") / "tiny-bert")


@pytest.fixture
def changed_directory(tiny_directory, tmp_path) -> Callable[..., Path]:
    """A copy in which some keys of one JSON file are set, or removed where None is given."""

    def change(file: str, **values: object) -> Path:
        target = tmp_path / "changed"
        if not target.exists():
            shutil.copytree(tiny_directory, target)
        path = target / file
        held = json.loads(path.read_text()) if path.exists() else {}
        held |= values
        path.write_text(json.dumps({key: held[key] for key in held if held[key] is not None}))
        return target

    return change


@pytest.fixture(scope="session")
def tiny(tiny_directory, tmp_path_factory):
    return open_encoder(str(tiny_directory), tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def tiny_tensors():
    return _tensors()


def _tensors():
    rng = np.random.default_rng(7)
    shapes = {
        "embeddings.word_embeddings.weight": (len(WORDS), DIM),
        "embeddings.position_embeddings.weight": (POSITIONS, DIM),
        "embeddings.token_type_embeddings.weight": (2, DIM),
        "embeddings.LayerNorm.weight": (DIM,),
        "embeddings.LayerNorm.bias": (DIM,),
    }
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}."
        for name in ("query", "key", "value"):
            shapes[f"{at}attention.self.{name}.weight"] = (DIM, DIM)
            shapes[f"{at}attention.self.{name}.bias"] = (DIM,)
        shapes |= {
            f"{at}attention.output.dense.weight": (DIM, DIM),
            f"{at}attention.output.dense.bias": (DIM,),
            f"{at}attention.output.LayerNorm.weight": (DIM,),
            f"{at}attention.output.LayerNorm.bias": (DIM,),
            f"{at}intermediate.dense.weight": (4 * DIM, DIM),
            f"{at}intermediate.dense.bias": (4 * DIM,),
            f"{at}output.dense.weight": (DIM, 4 * DIM),
            f"{at}output.dense.bias": (DIM,),
            f"{at}output.LayerNorm.weight": (DIM,),
            f"{at}output.LayerNorm.bias": (DIM,),
        }
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def _write_directory(path):
    (path / "1_Pooling").mkdir(parents=True)
    module = "sentence_transformers.models."
    listed = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    files = {
        "modules.json": [{"path": where, "type": module + kind} for where, kind in listed],
        "config.json": {
            "model_type": "bert",
            "hidden_act": "gelu",
            "num_attention_heads": HEADS,
            "max_position_embeddings": POSITIONS,
            "layer_norm_eps": 1e-12,
        },
        "1_Pooling/config.json": {"pooling_mode": "mean"},
        "sentence_bert_config.json": {"max_seq_length": 12, "do_lower_case": False},
        "tokenizer_config.json": {"model_max_length": 14},
    }
    for name, value in files.items():
        (path / name).write_text(json.dumps(value))
    _tokenizer().save(str(path / "tokenizer.json"))
    save_file(_tensors(), path / "model.safetensors")
    return path


def _tokenizer():
    ids = {word: number for number, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer
