"""Write the encoder's known answers, tests/vectors/encoder/minilm-l6-v2.txt.

Usage: HF_HUB_OFFLINE=1 python scripts/encoder_vectors.py MODEL_DIRECTORY [FILE]

Runs in an environment of its own with torch and sentence-transformers, which the project does not
need, and takes nothing from the project: the answers are that library's. MODEL_DIRECTORY is the
folder ``model`` of the wheel that src/cipherset/app/encoders.py pins for ``minilm-l6-v2``.

The file is a header of ``name: value`` lines, then for each text ``text`` (a JSON string), the
number of word pieces that count (``tokens``) and ``vector``: all dimensions, six decimals.
"""

import hashlib
import json
import sys
from pathlib import Path

import sentence_transformers

TEXTS = [
    "My card still hasn't arrived after two weeks, what can I do?",
    "A smart, funny and unexpectedly moving film.",
    "",
    "  Crème brûlée?\tНезабываемо! 映画が好き 🎬 ½ ﬁne\u200b e\u0301  ",
    "@airline " + "flight 1234 was delayed again and nobody told us why; " * 40,
    "[SEP] [MASK] is <b>not</b> markup, and " + "a" * 120 + " is one word",
]


def main() -> None:
    """Encode ``TEXTS`` with the model of the directory and write the file."""
    directory = Path(sys.argv[1])
    default = Path(__file__).parent.parent / "tests/vectors/encoder/minilm-l6-v2.txt"
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else default
    model = sentence_transformers.SentenceTransformer(str(directory), device="cpu")
    vectors = model.encode(TEXTS, batch_size=1)
    digest = hashlib.sha256((directory / "model.safetensors").read_bytes()).hexdigest()
    lines = [
        "expect: ok",
        f"made by: sentence-transformers {sentence_transformers.__version__}",
        f"weights: sha256:{digest}",
        f"max tokens: {model.max_seq_length}",
        f"dim: {vectors.shape[1]}",
        "tolerance: 1e-5",
    ]
    for text, vector in zip(TEXTS, vectors.tolist(), strict=True):
        n_tokens = model.preprocess([text])["input_ids"].shape[1]
        lines += [
            f"text: {json.dumps(text)}",
            f"tokens: {n_tokens}",
            "vector: " + " ".join(f"{number:.6f}" for number in vector),
        ]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
