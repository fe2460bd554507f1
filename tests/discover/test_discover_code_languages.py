"""Other languages, lists of packages and configurations: each form, and its words."""

import json
from pathlib import PurePosixPath

import pytest
from discover_planted import lay
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.evidence.discover.code import ReadFault, scan
from cipherset.evidence.discover.code.look.languages import LANGUAGES, look_code
from cipherset.evidence.discover.code.look.lines import look_lines
from cipherset.evidence.discover.code.look.manifests import look_manifest
from cipherset.evidence.discover.code.rows import load_catalog

KNOWN = load_catalog()
KEY = "Zx8Qw3Er5Ty7Ui9Op1As2Df4"


@pytest.mark.parametrize(
    ("ending", "code", "what"),
    [
        (".js", "const { OpenAI } = require('openai')", "openai"),
        (".mjs", 'export * from "@langchain/core/messages"', "@langchain/core"),
        (".ts", "import('openai/helpers')", "openai"),
        (".ts", "import x from 'npm:openai@4.1.0'", "openai"),
        (".ts", "import x from 'https://esm.sh/@anthropic-ai/sdk@0.3'", "@anthropic-ai/sdk"),
        (".svelte", "<script lang='ts'>import 'ollama';</script>", "ollama"),
        (".html", "<b>x</b><script>fetch('https://api.openai.com/v1')</script>", "api.openai.com"),
        (
            ".go",
            'import "github.com/openai/openai-go/option"',
            "github.com/openai/openai-go/option",
        ),
        (".java", "import static com.openai.models.X;", "com.openai.models.X"),
        (".rs", "use async_openai::Client;", "async_openai"),
        (".rs", "fn f<'a>(x: &'a str) { get(\"https://api.openai.com/v1\") }", "api.openai.com"),
        (".cs", "using Azure.AI.OpenAI;", "Azure.AI.OpenAI"),
        (".rb", "require 'anthropic'", "anthropic"),
        (".php", "$c = OpenAI::client($k);", "OpenAI"),
        (".cpp", "#include <onnxruntime_cxx_api.h>", "onnxruntime_cxx_api.h"),
        (".swift", 'let u = URL(string: "https://api.mistral.ai/v1")', "api.mistral.ai"),
        (".js", "process.env.ANTHROPIC_API_KEY", "Anthropic credential"),
        (".go", 'os.Getenv("GROQ_API_KEY")', "Groq credential"),
        (".rb", "ENV.fetch('OPENAI_API_KEY')", "OpenAI credential"),
        (".java", 'System.getenv("COHERE_API_KEY")', "Cohere credential"),
        (".ts", "chat({ model: 'gpt-4o' })", "gpt-4o"),
        (".go", 'Model: "claude-3-opus"', "claude-3-opus"),
        (".js", "import '@xenova/transformers'; pipeline('ner', 'Xenova/t5')", "Xenova/t5"),
        (".ts", "[{ role: 'system', content: text }]", "system message of a chat"),
        (".sql", "SELECT ai_query('m', x)", "AI_QUERY"),
        (".java", 'return base + "/chat/completions";', "OpenAI-compatible API at *"),
        (".swift", 'let u = "https://api.mistral.ai/v1/models/\\(id)"', "api.mistral.ai"),
        (".clj", '(def u "https://api.openai.com/v1") ; x', "api.openai.com"),
        (".kt", '"https://${host}/openai/deployments/x"', "Azure OpenAI at *"),
    ],
)
def test_code_of_other_languages(ending, code, what):
    assert KNOWN.may_name(code)
    assert what in {hit.what for hit in look_code(code, ending, KNOWN)}


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        (".js", "// require('openai')\n/* import 'openai' */"),
        (".js", "const openai = './openai'; import y from './openai.js'"),
        (".js", "console.log('see https://api.openai.com/v1 for more')"),
        (".go", '// "github.com/openai/openai-go"'),
        (".java", "import com.openair.Client;"),
        (".cs", "using OpenAIr;"),
        (".rb", "# require 'openai'\nrequire_relative 'openai'"),
        (".php", "# use OpenAI;\n// OpenAI::client()"),
        (".rs", "/* use async_openai::Client; */"),
        (".sql", "-- ai_query('m')\nselect my_ai_query(x)"),
        (".html", "<p>import 'openai'</p>"),
    ],
)
def test_words_of_other_languages(ending, code):
    assert list(look_code(code, ending, KNOWN)) == []


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("requirements.txt", "httpx\nopenai[datalib]>=1.0  # x\n", "openai"),
        ("requirements-dev.in", "OpenAI\n", "OpenAI"),
        ("requirements/base.txt", "sentence_transformers==3\n", "sentence_transformers"),
        ("pyproject.toml", '[project]\ndependencies = ["openai~=1.0"]\n', "openai"),
        ("pyproject.toml", '[tool.poetry.group.x.dependencies]\nlangchain = "^0.2"\n', "langchain"),
        ("pyproject.toml", '[dependency-groups]\nai = ["cohere"]\n', "cohere"),
        ("Pipfile", '[packages]\nopenai = "*"\n', "openai"),
        ("Pipfile.lock", '{"default": {"openai": {"version": "==1"}}}', "openai"),
        ("uv.lock", '[[package]]\nname = "anthropic"\n', "anthropic"),
        (
            "setup.py",
            "from setuptools import setup\nsetup(install_requires=['openai>1'])",
            "openai",
        ),
        ("setup.cfg", "[options]\ninstall_requires =\n    openai>=1\n", "openai"),
        ("conda.yml", "dependencies:\n  - pytorch::transformers=4\n", "transformers"),
        ("package-lock.json", '{"packages": {"node_modules/openai": {}}}', "openai"),
        ("yarn.lock", '"@anthropic-ai/sdk@^0.3":\n  version "0.3"\n', "@anthropic-ai/sdk"),
        ("pnpm-lock.yaml", "packages:\n  /openai@4.2.0:\n    x: 1\n", "openai"),
        ("deno.json", '{"imports": {"o": "npm:openai@^4"}}', "openai"),
        (
            "go.mod",
            "require github.com/cohere-ai/cohere-go/v2 v2.1.0\n",
            "github.com/cohere-ai/cohere-go/v2",
        ),
        (
            "build.gradle",
            "implementation 'dev.langchain4j:langchain4j:1.0'",
            "dev.langchain4j:langchain4j",
        ),
        (
            "build.gradle",
            "implementation group: 'com.openai', name: 'openai-java'",
            "com.openai:openai-java",
        ),
        (
            "gradle/libs.versions.toml",
            'x = { module = "com.openai:openai-java" }'.replace("=", "=", 1),
            "com.openai:openai-java",
        ),
        ("Cargo.lock", '[[package]]\nname = "rig-core"\n', "rig-core"),
        ("Cargo.toml", "[workspace.dependencies]\nort = '2'\n", "ort"),
        ("Directory.Packages.props", '<PackageVersion Include="OpenAI" Version="2" />', "OpenAI"),
        ("Gemfile", "gem 'ruby-openai', '~> 7'", "ruby-openai"),
        ("Gemfile.lock", "GEM\n  specs:\n    ruby-openai (7.0)\n", "ruby-openai"),
        ("x.gemspec", "s.add_dependency 'anthropic'", "anthropic"),
        ("composer.json", '{"require": {"openai-php/client": "^1"}}', "openai-php/client"),
        ("composer.lock", '{"packages": [{"name": "openai-php/client"}]}', "openai-php/client"),
    ],
)
def test_lists_of_packages(name, text, what):
    found = [hit.what for hit in look_manifest(text, PurePosixPath(name), KNOWN)]
    assert found == [what]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "# openai\nopenai-tools-of-mine\n-r openai.txt\n"),
        ("pyproject.toml", '[project]\nname = "openai"\nkeywords = ["openai"]\n'),
        ("setup.py", "setup(name='openai', keywords=['openai'])"),
        ("setup.cfg", "[metadata]\nkeywords =\n    openai\n"),
        ("package.json", '{"name": "openai", "keywords": ["openai"], "scripts": {"openai": "x"}}'),
        ("go.mod", "module github.com/openai/openai-go\n// github.com/openai/openai-go v1\n"),
        ("pom.xml", "<!-- <groupId>com.openai</groupId><artifactId>openai-java</artifactId> -->"),
        ("Cargo.toml", '[package]\nname = "ort"\n[features]\nort = []\n'),
        ("notes.txt", "openai\n"),
        ("pyproject.toml", "not [ toml"),
        ("package.json", "[" * 100_000),
    ],
)
def test_words_in_lists_of_packages(name, text):
    assert list(look_manifest(text, PurePosixPath(name), KNOWN)) == []


@pytest.mark.parametrize(
    ("name", "text", "kind", "what"),
    [
        (".env", f"export OPENAI_API_KEY={KEY}", "key", "OpenAI credential"),
        ("a.yaml", f"azure:\n  openai:\n    apiKey: {KEY}\n", "key", "Azure OpenAI credential"),
        ("a.yaml", f"env:\n  - name: GROQ_API_KEY\n    value: {KEY}\n", "key", "Groq credential"),
        ("a.ini", f"[x]\ntoken = hf_{KEY}{KEY}\n", "key", "Hugging Face credential"),
        (
            "Dockerfile",
            "ENV OPENAI_API_BASE https://api.openai.com/v1",
            "endpoint",
            "api.openai.com",
        ),
        ("Dockerfile", "FROM --platform=linux/amd64 vllm/vllm-openai:v1 AS x", "server", "vLLM"),
        ("Dockerfile", 'CMD ["ollama", "serve"]', "server", "Ollama"),
        ("Procfile", "web: python3 -m vllm.entrypoints.openai.api_server", "server", "vLLM"),
        ("run.sh", "docker run -d ollama/ollama", "server", "Ollama"),
        ("run.sh", 'URL="https://api.deepseek.com/chat"', "endpoint", "api.deepseek.com"),
        ("a.yaml", "llm:\n  provider: azure_openai\n", "sdk", "Azure OpenAI"),
        ("a.toml", '[mcp_servers.docs]\ncommand = "uvx"\n', "mcp", "docs"),
        ("a.yaml", "mcpServers:\n  web:\n    url: https://m.example/sse\n", "mcp", "web"),
        (
            "a.yaml",
            "system_prompt: |\n  You are a helpful assistant.\n  Be brief.\n",
            "prompt",
            "system_prompt",
        ),
        (
            "isvc.yaml",
            "apiVersion: serving.kserve.io/v1beta1",
            "server",
            "serving.kserve.io/v1beta1",
        ),
        ("t.yaml", "Type: AWS::Bedrock::Agent", "sdk", "aws::bedrock::agent"),
        ("v.tf", 'variable "openai_api_key" {', "key", "OpenAI credential"),
        (
            "o.tf",
            'value = "https://bedrock-runtime.${var.region}.amazonaws.com/model/x"',
            "endpoint",
            "bedrock-runtime.*.amazonaws.com",
        ),
        ("a.properties", "spring.ai.ollama.init.timeout=5m", "agent", "Spring AI"),
        ("a.yml", "model:\n  name: llama3.2:3b\n", "model", "llama3.2:3b"),
        (
            "up.sh",
            "docker run \\\n  ghcr.io/huggingface/text-generation-inference:1.4",
            "server",
            "Text Generation Inference",
        ),
        ("web.config", '<add key="Anthropic:ApiKey" value="" />', "key", "Anthropic credential"),
        (
            "crew.yaml",
            "a:\n  role: >\n    x\n  goal: y\n  backstory: z\n",
            "agent",
            "agents by role, goal and backstory",
        ),
    ],
)
def test_configurations(name, text, kind, what):
    assert (kind, what) in {(hit.kind.value, hit.what) for hit in look_lines(text, name, KNOWN)}


@pytest.mark.parametrize(
    "text",
    [
        "# OPENAI_API_KEY=x",
        "description: ask https://api.openai.com/v1 for it",
        "model: T-1000",
        "provider: aws",
        "image: nginx",
        "key: value",
        "name: OpenAI",
        "SECRET_KEY=" + KEY,
        "blocked:\n  - api.openai.com\n",
        "- openai",
    ],
)
def test_words_in_configurations(text):
    assert list(look_lines(text, "a.yaml", KNOWN)) == []


@pytest.mark.parametrize(
    "value",
    [
        "",
        "${OPENAI}",
        "your-key-goes-here-123",
        "vault:llm/openai",
        "xxxxxxxxxxxxxxxxxxxx",
        "<paste your key>",
    ],
)
def test_a_key_that_is_elsewhere_is_named(value):
    hits = list(look_lines(f"OPENAI_API_KEY={value}", ".env", KNOWN))
    assert {hit.how for hit in hits} == {"named here; its value is elsewhere"}


def test_notebooks_are_read_by_cell(tmp_path):
    cell = {"cell_type": "code", "outputs": [{"text": "import groq"}], "metadata": {}}
    cells = [
        {"cell_type": "markdown", "source": "import cohere"},
        {**cell, "source": ["!pip install anthropic\n", "%%time\n", "x = 1"]},
        {**cell, "source": "if x:\n    !ls\nthis is not python"},
        {**cell, "source": "import openai as o"},
        {**cell, "source": "o.OpenAI(base_url='http://gpu:8000/v1')"},
        "odd",
    ]
    lay({"a.ipynb": json.dumps({"cells": cells}), "b.ipynb": "{", "c.ipynb": "[]"}, tmp_path)
    found = {(one.what, one.line) for one in scan([tmp_path]).findings}
    assert found == {("anthropic", 2), ("openai", 4), ("gpu:8000", 5)}


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-16", b""), ("utf-16-le", b""), ("utf-8-sig", b""), ("latin-1", b"\xe9")],
)
def test_encodings(encoding, mark, tmp_path):
    text = "const a = require('openai') // "
    (tmp_path / "a.js").write_bytes(text.encode(encoding) + mark)
    assert [one.what for one in scan([tmp_path]).findings] == ["openai"]


def test_what_is_not_text_is_told(tmp_path):
    (tmp_path / "a.js").write_bytes(b"\0\1\2openai" * 50)
    assert [one.fault for one in scan([tmp_path]).not_read] == [ReadFault.NOT_TEXT]


@settings(max_examples=60)
@given(
    st.binary(max_size=400),
    st.sampled_from(
        [*LANGUAGES, ".py", ".yaml", ".json", ".ipynb", ".toml", ".env", ".jsonl", ".pkl"]
    ),
    st.sampled_from(
        [b"", b"import openai\n", b'{"mcpServers": ', b"\x80\x04", b"GGUF", b"\x1f\x8b"]
    ),
)
def test_no_content_stops_a_scan(tmp_path_factory, content, ending, head):
    root = tmp_path_factory.mktemp("any")
    (root / f"a{ending}").write_bytes(head + content)
    report = scan([root])
    assert report.n_files == 1
    assert ReadFault.DEFECT not in {one.fault for one in report.not_read}
