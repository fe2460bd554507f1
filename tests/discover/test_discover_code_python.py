"""Python by its syntax tree: each way to say the same, and what is only said."""

import ast
from pathlib import Path

import pytest
from discover_planted import CLEAN, USES
from hypothesis import given
from hypothesis import strategies as st

from cipherset.evidence.discover.code import Kind, scan
from cipherset.evidence.discover.code.look.python import look_python, parsed
from cipherset.evidence.discover.code.rows import load_catalog

KNOWN = load_catalog()


def hits(code: str, *, local: tuple[str, ...] = ()) -> set[tuple[str, str]]:
    tree = parsed(code)
    assert tree is not None
    return {(hit.kind.value, hit.what) for hit in look_python(tree, KNOWN, local.__contains__)}


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("import openai", "openai"),
        ("import openai.types as t", "openai"),
        ("from openai import OpenAI", "openai"),
        ("def f():\n    import anthropic", "anthropic"),
        ("try:\n    import groq\nexcept ImportError:\n    groq = None", "groq"),
        ("from google import genai", "google.genai"),
        ("from google.cloud import aiplatform as ap", "google.cloud.aiplatform"),
        ("import importlib\nimportlib.import_module('mistralai')", "mistralai"),
        ("__import__('cohere')", "cohere"),
        ("NAME = 'open' + 'ai'\n__import__(NAME)", "openai"),
        ("import boto3\nboto3.client('bedrock-runtime')", "boto3 bedrock-runtime"),
    ],
)
def test_an_sdk_is_seen(code, what):
    assert ("sdk", what) in hits(code)


@pytest.mark.parametrize(
    "code",
    [
        "from . import openai",
        "from .openai import OpenAI",
        "import os.openai",
        "from datasets import mine",
        "from agents import book",
        "import agents",
        "openai = 1",
        "'import openai'",
        "print('openai')",
        "x = 'https://example.org/?next=https://api.openai.com/v1'",
        "x = 'ask https://api.openai.com/v1 for it'",
        "HOSTS = ['api.openai.com']",
        "engine = 'v8'; model = 'T'",
        "import boto3\nboto3.client('s3')",
        "load(path)\npickle.load(file)",
        "db.pipeline('x')",
        "{'role': 'user', 'content': 'hello'}",
        "prompt = 'Enter your name and press return, please: '",
    ],
)
def test_words_are_not_uses(code):
    assert hits(code) == set()


def test_a_module_of_the_same_tree_is_not_the_sdk():
    assert hits("import cohere", local=("cohere",)) == set()


@pytest.mark.parametrize(
    ("files", "is_local"),
    [
        ({"a/cohere.py": "", "a/use.py": "import cohere"}, True),
        ({"cohere/__init__.py": "", "a/use.py": "import cohere"}, True),
        ({"src/cohere.py": "", "tests/use.py": "import cohere"}, True),
        # Inside a package a file beside it is not what an absolute import means.
        ({"a/__init__.py": "", "a/cohere.py": "", "a/use.py": "import cohere"}, False),
        ({"cohere/readme.txt": "", "a/use.py": "import cohere"}, False),
        ({"cohere.py": "import cohere"}, False),
        ({"b/cohere.py": "", "a/use.py": "import cohere"}, False),
    ],
)
def test_where_python_would_look_first(files, is_local, tmp_path):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert bool(scan([tmp_path]).findings) is not is_local


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from transformers import AutoModel as A\nA.from_pretrained('a/b')", ("model", "a/b")),
        ("import torch\ntorch.load('x.pt')", ("model", "x.pt")),
        ("import tensorflow as tf\ntf.keras.models.load_model('m')", ("model", "m")),
        ("from transformers import pipeline as p\np('ner')", ("model", "ner")),
        (
            "import onnxruntime as o\no.InferenceSession(path)",
            ("model", "by onnxruntime.InferenceSession"),
        ),
        ("import joblib\nclf = joblib.load(p)", ("model", "by joblib.load")),
        ("import joblib\njoblib.load('a.bin')\nx.predict(y)", ("model", "a.bin")),
        ("f(model='gpt-4o-mini')", ("model", "gpt-4o-mini")),
        ("MODEL = 'azure/gpt-4o'", ("model", "azure/gpt-4o")),
        ("def f(model='claude-3-haiku'): ...", ("model", "claude-3-haiku")),
        ("class C:\n    model: str = 'gemini-1.5-pro'", ("model", "gemini-1.5-pro")),
        ("from datasets import load_dataset as l\nl('imdb')", ("dataset", "imdb")),
        ("import sklearn\npd.read_csv('a.csv')\nm.fit(x)", ("dataset", "a.csv")),
        ("post('https://api.x.ai/v1')", ("endpoint", "api.x.ai")),
        ("post(f'https://{r}.openai.azure.com/x')", ("endpoint", "*.openai.azure.com")),
        ("BASE = 'https://api.'\npost(BASE + 'groq.com')", ("endpoint", "api.groq.com")),
        ("Conn('api.anthropic.com')", ("endpoint", "api.anthropic.com")),
        ("post(f'{b}/x', url='http://h:11434/api/chat')", ("endpoint", "Ollama at h:11434")),
        (
            "post('https://h.example/v1/chat/completions')",
            ("endpoint", "OpenAI-compatible API at h.example"),
        ),
        ("import openai\nopenai.OpenAI(base_url='http://gpu:8000/v1')", ("endpoint", "gpu:8000")),
        ("os.environ['GROQ_API_KEY']", ("key", "Groq credential")),
        ("os.getenv('MY_OPENAI_API_KEY')", ("key", "OpenAI credential")),
        ("{'role': 'system', 'content': x}", ("prompt", "system message of a chat")),
        ("post(f'{b}/chat/completions')", ("endpoint", "OpenAI-compatible API at *")),
        ("post(b + '/v1/embeddings')", ("endpoint", "OpenAI-compatible API at *")),
        ("class S(Settings):\n    openai_api_key: str = ''", ("key", "OpenAI credential")),
        ("def load_model():\n    return joblib.load(a + b)", ("model", "by joblib.load")),
        ("from mcp.server.fastmcp import FastMCP", ("mcp", "mcp")),
        ("from agents import Agent", ("agent", "agents")),
    ],
)
def test_calls_and_texts_in_them(code, found):
    assert found in hits(code)


def test_what_ends_unread_would_have_had_nothing():
    """The quick look that spares most files the parser, against parsing each."""
    codes = [text for path, (text, _) in USES.items() if path.endswith(".py")]
    codes += [text for path, text in CLEAN.items() if path.endswith(".py")]
    codes += [path.read_text() for path in Path(ast.__file__).parent.glob("a*.py")]
    for code in codes:
        if parsed(code) is not None and hits(code):
            assert KNOWN.may_name(code)


@pytest.mark.parametrize("module", sorted(KNOWN.python))
def test_each_module_of_the_catalog_is_seen(module):
    _, names = KNOWN.python[module]
    code = f"from {module} import {min(names, default='x')}"
    assert KNOWN.may_name(code)
    assert len(hits(code)) == 1


@pytest.mark.parametrize(
    "host", sorted({h for s in KNOWN.services for h in s.names.get("hosts", ())})
)
def test_each_host_of_the_catalog_is_seen(host):
    code = f"ask('https://{host.replace('*', 'x-1')}/y')"
    assert KNOWN.may_name(code)
    assert {kind for kind, _ in hits(code)} == {Kind.ENDPOINT.value}


@given(st.text(max_size=60), st.sampled_from(["openai", "api.openai.com", "gpt-4o"]))
def test_comments_never_count(text, word):
    code = f"# {word} {text}".replace("\n", " ").replace("\r", " ").replace("\f", " ")
    tree = parsed(code)
    assert tree is None or not list(look_python(tree, KNOWN, lambda _: False))


@pytest.mark.parametrize(
    "source",
    [
        "(" * 5000,
        "x = " + "[" * 3000,
        "print 'two'",
        "x = 1" + " + 1" * 20_000,
        "-" * 50_000 + "1",
    ],
)
def test_deep_and_odd_sources_are_survived(source, tmp_path):
    (tmp_path / "deep.py").write_text(f"import openai\n{source}\n")
    report = scan([tmp_path])
    assert [one.what for one in report.findings] == ["openai"]


SECRET = "9fKq2LmZ8xRt7VbN3wYp5HsJ"


@pytest.mark.parametrize(
    ("code", "whose"),
    [
        (f"import openai\nopenai.OpenAI(api_key='sk-{SECRET}')", "OpenAI"),
        (f"import openai\nopenai.api_key = 'sk-{SECRET}'", "OpenAI"),
        (f"from mistralai import Mistral\nMistral(api_key='{SECRET}')", "Mistral AI"),
        (f"from mistralai import Mistral\nK = '{SECRET}'\nMistral(api_key=K)", "Mistral AI"),
        (f"from ours import Client\nClient(api_key='sk-{SECRET}')", "OpenAI"),
        (f"def ask(api_key='sk-{SECRET}'): pass", "OpenAI"),
        (f"TOLD = {{'apiKey': 'sk-{SECRET}'}}", "OpenAI"),
    ],
)
def test_a_key_in_code_is_found_and_not_shown(code, whose, tmp_path):
    assert ("key", f"{whose} credential") in hits(code)
    (tmp_path / "chat.py").write_text(code)
    report = scan([tmp_path])
    (found,) = [each for each in report.findings if each.kind is Kind.KEY]
    assert "held here" in found.how
    assert SECRET not in repr(report)


@pytest.mark.parametrize(
    "value",
    [
        "'sk-...'",
        "'sk-your-key-here-0123456789'",
        "'sk-xxxxxxxxxxxxxxxxxxxxxxxx'",
        "'sk-no-key-required'",
        "'YOUR_API_KEY'",
        "'MY_OPENAI_KEY_2024_X'",
        "'<put the key of team 7 here>'",
        "'lm-studio-local-v1-key'",
        "'EMPTY'",
        "os.getenv('K')",
        "os.environ['K']",
    ],
)
@pytest.mark.parametrize("how", ["openai.OpenAI(api_key={})", "openai.api_key = {}"])
def test_what_stands_for_a_key_is_none(value, how):
    code = f"import os\nimport openai\n{how.format(value)}"
    assert not [each for each in hits(code) if each[0] == "key"]


def test_the_key_of_something_else_is_not_a_services():
    assert hits(f"import openai\nweather(api_key='{SECRET}')") == {("sdk", "openai")}
