"""A tree with uses of AI planted in it, and one that only talks about them.

Written before the scanner was run on it; what it missed then is told in
docs/reference/discovery.md.
"""

import json
from pathlib import Path

KEY = "sk-proj-" + "Zq7Lw2Rt9Vb4Nm6Kx1Pd8Hs3"
OTHER_KEY = "a8Fk2Lq9Zw4Xv7Bn1Mt6Rc3Yp5Hd0Js"

# By path: the text, and the kinds one of which must be found there.
USES: dict[str, tuple[str, set[str]]] = {
    "billing/worker/dunning.py": (
        """
import os
from importlib import import_module as grab

_client_lib = grab("open" + "ai")


def remind(customer):
    client = _client_lib.OpenAI(api_key=os.environ["LLM_SECRET"])
    return client.responses.create(model=os.environ["LLM"], input=customer.note)
""",
        {"sdk"},
    ),
    "billing/worker/letters.py": (
        """
import requests

HOST = "api.anthropic.com"


def draft(case, token):
    return requests.post(
        f"https://{HOST}/v1/messages",
        headers={"x-api-key": token},
        json={"max_tokens": 300, "messages": [{"role": "user", "content": case}]},
        timeout=30,
    ).json()
""",
        {"endpoint"},
    ),
    "billing/worker/scoring.py": (
        """
import pickle


def load(path="artifacts/churn.pkl"):
    with open(path, "rb") as stream:
        clf = pickle.load(stream)
    return lambda row: clf.predict_proba([row])[0, 1]
""",
        {"model"},
    ),
    "search/embedder.py": (
        """
from sentence_transformers import SentenceTransformer as ST

NAME = "BAAI/bge-small-en-v1.5"
encoder = ST(NAME, device="cpu")
""",
        {"model"},
    ),
    "search/reranker.py": (
        """
import boto3

runtime = boto3.session.Session().client(service_name="bedrock-runtime", region_name="eu-west-1")
""",
        {"sdk"},
    ),
    "search/legacy.py": (
        """
import openai
print "python two", openai.Completion.create(engine="davinci", prompt="x")
""",
        {"sdk"},
    ),
    "notebooks/explore.ipynb": (
        json.dumps(
            {
                "cells": [
                    {"cell_type": "markdown", "source": ["# Try things"], "metadata": {}},
                    {
                        "cell_type": "code",
                        "source": ["%pip install -q transformers\n", "import pandas as pd"],
                        "metadata": {},
                        "outputs": [],
                        "execution_count": None,
                    },
                    {
                        "cell_type": "code",
                        "source": [
                            "from transformers import pipeline\n",
                            "nlp = pipeline('ner', model='dslim/bert-base-NER')\n",
                        ],
                        "metadata": {},
                        "outputs": [],
                        "execution_count": None,
                    },
                ],
                "metadata": {},
                "nbformat": 4,
                "nbformat_minor": 5,
            }
        ),
        {"model"},
    ),
    "web/src/lib/assist.ts": (
        """
export async function assist(question: string) {
  const { default: Anthropic } = await import('@anthropic-ai/sdk');
  const client = new Anthropic();
  return client.messages.create({ max_tokens: 200, messages: [] });
}
""",
        {"sdk"},
    ),
    "web/src/pages/summary.vue": (
        """
<template><p>{{ text }}</p></template>
<script setup>
const text = ref('');
fetch(`https://${region}-aiplatform.googleapis.com/v1/projects/x/locations/y/models/z:predict`);
</script>
""",
        {"endpoint"},
    ),
    "web/package.json": (
        json.dumps(
            {
                "name": "web",
                "dependencies": {"vue": "^3.4.0", "ai": "^4.0.0", "@ai-sdk/openai": "^1.0.0"},
            },
            indent=2,
        ),
        {"sdk"},
    ),
    "mobile/app/build.gradle.kts": (
        """
dependencies {
    implementation("androidx.core:core-ktx:1.13.1")
    implementation("com.aallam.openai:openai-client:3.8.2")
}
""",
        {"sdk"},
    ),
    "mobile/app/src/Main.kt": (
        """
package demo

import ai.onnxruntime.OrtEnvironment

fun main() { OrtEnvironment.getEnvironment() }
""",
        {"library"},
    ),
    "gateway/main.go": (
        """
package main

import (
	"context"

	oai "github.com/sashabaranov/go-openai"
)

func main() { _ = oai.NewClient("") ; _ = context.Background() }
""",
        {"sdk"},
    ),
    "gateway/go.mod": (
        """
module example.org/gateway

go 1.22

require (
	github.com/anthropics/anthropic-sdk-go v1.2.0
	golang.org/x/net v0.30.0
)
""",
        {"sdk"},
    ),
    "orders/pom.xml": (
        """
<project>
  <dependencies>
    <dependency>
      <groupId>dev.langchain4j</groupId>
      <artifactId>langchain4j-open-ai</artifactId>
      <version>1.0.0</version>
    </dependency>
  </dependencies>
</project>
""",
        {"agent"},
    ),
    "edge/Cargo.toml": (
        """
[package]
name = "edge"
version = "0.1.0"

[dependencies]
tokio = { version = "1", features = ["full"] }
async-openai = "0.27"
""",
        {"sdk"},
    ),
    "desk/Desk.csproj": (
        """
<Project Sdk="Microsoft.NET.Sdk">
  <ItemGroup>
    <PackageReference Include="Microsoft.SemanticKernel" Version="1.30.0" />
  </ItemGroup>
</Project>
""",
        {"agent"},
    ),
    "shop/app/services/describe.rb": (
        """
require "openai"

class Describe
  def call(item) = OpenAI::Client.new.chat(parameters: { messages: [] })
end
""",
        {"sdk"},
    ),
    "blog/src/Tagger.php": (
        """
<?php
namespace App;

final class Tagger
{
    public function tag(string $text): array
    {
        $client = \\OpenAI::client(getenv('TAGGER'));
        return $client->chat()->create(['messages' => []]);
    }
}
""",
        {"sdk"},
    ),
    "deploy/chart/values.yaml": (
        """
replicaCount: 1
image:
  repository: vllm/vllm-openai
  tag: v0.6.3
service:
  port: 8000
""",
        {"server"},
    ),
    "deploy/compose.yml": (
        """
services:
  web:
    image: nginx:1.27
    environment:
      - UPSTREAM=http://llm:11434
  llm:
    image: docker.io/ollama/ollama:0.5.1
""",
        {"server"},
    ),
    "deploy/k8s/job.yaml": (
        """
apiVersion: batch/v1
kind: Job
spec:
  template:
    spec:
      containers:
        - name: tag
          image: registry.example.org/tag:3
          env:
            - name: MISTRAL_API_KEY
              valueFrom:
                secretKeyRef: {name: llm, key: mistral}
""",
        {"key"},
    ),
    "deploy/llama.service": (
        """
[Unit]
Description=local completions

[Service]
ExecStart=/opt/bin/llama-server -m /var/models/q4.gguf --port 9000
""",
        {"server"},
    ),
    "deploy/infra/main.tf": (
        """
resource "aws_sagemaker_endpoint" "fraud" {
  name                 = "fraud"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.fraud.name
}
""",
        {"sdk"},
    ),
    "config/.env.production": (
        f"""
DATABASE_URL=postgres://db/app
OPENAI_API_KEY="{KEY}"
""",
        {"key"},
    ),
    "config/application.properties": (
        f"""
server.port=8080
spring.ai.azure.openai.api-key={OTHER_KEY}
spring.ai.azure.openai.endpoint=https://contoso-prod.openai.azure.com/
""",
        {"key", "endpoint"},
    ),
    "config/appsettings.json": (
        json.dumps({"Assistant": {"Provider": "anthropic", "Model": "claude-3-5-sonnet-20241022"}}),
        {"model", "sdk"},
    ),
    "config/litellm.yaml": (
        """
model_list:
  - model_name: fast
    litellm_params:
      model: groq/llama-3.1-8b-instant
      api_base: https://api.groq.com/openai/v1
""",
        {"endpoint", "model"},
    ),
    ".cursor/mcp.json": (
        json.dumps(
            {"mcpServers": {"tracker": {"command": "npx", "args": ["-y", "@acme/tracker-mcp"]}}}
        ),
        {"mcp"},
    ),
    ".vscode/mcp.json": (
        """
{
  // shared with the team
  "servers": {
    "browser": { "type": "http", "url": "https://mcp.example.org/sse" },
  }
}
""",
        {"mcp"},
    ),
    "agents/crew.py": (
        """
from crewai import Agent, Crew

researcher = Agent(role="researcher", goal="find", backstory="long")
crew = Crew(agents=[researcher])
""",
        {"agent"},
    ),
    "agents/flow.py": (
        """
from langgraph.graph import StateGraph

graph = StateGraph(dict)
""",
        {"agent"},
    ),
    "agents/CLAUDE.md": ("# How to work here\n\nRun the tests.\n", {"agent"}),
    "agents/prompts/triage.txt": (
        "You are a senior support engineer. Sort the ticket below into one of {{ classes }}.\n",
        {"prompt"},
    ),
    "agents/persona.py": (
        '''
SYSTEM_PROMPT = """You are a helpful assistant for the staff of a bank.
Never give advice on investments."""
''',
        {"prompt"},
    ),
    "train/fit.py": (
        """
import pandas as pd
from lightgbm import LGBMClassifier

rows = pd.read_parquet("warehouse/claims_2024.parquet")
LGBMClassifier().fit(rows.drop(columns="y"), rows.y)
""",
        {"dataset"},
    ),
    "train/squad.py": (
        """
import datasets

train = datasets.load_dataset("squad", split="train")
""",
        {"dataset"},
    ),
    "train/tune.jsonl": (
        '{"messages": [{"role": "user", "content": "h"}, {"role": "assistant", "content": "y"}]}\n',
        {"dataset"},
    ),
    "train/requirements-gpu.txt": (
        "--extra-index-url https://x.example\ntorch==2.5.1 ; platform_system == 'Linux'\n",
        {"library"},
    ),
    "train/environment.yml": (
        "dependencies:\n  - python=3.11\n  - pip:\n      - haystack-ai>=2\n",
        {"agent"},
    ),
    "ci/review.yml": (
        """
on: pull_request
jobs:
  review:
    runs-on: ubuntu-latest
    steps:
      - uses: anthropics/claude-code-action@v1
""",
        {"agent", "sdk"},
    ),
    "ci/nightly.sh": (
        """
#!/bin/sh
curl -s https://openrouter.ai/api/v1/chat/completions -H "Authorization: $ROUTER" -d @b.json
""",
        {"endpoint"},
    ),
    "ci/Dockerfile.batch": (
        """
FROM python:3.12-slim
RUN pip install --no-cache-dir 'cohere>=5' httpx
CMD ["python", "-m", "batch"]
""",
        {"sdk"},
    ),
    "warehouse/enrich.sql": (
        "select id, snowflake.cortex.complete('mistral-large', note) from tickets;\n",
        {"sdk"},
    ),
    "legacy/report.R": (
        'library(httr)\nPOST("https://api.openai.com/v1/chat/completions")\n',
        {"endpoint"},
    ),
    "extension/background.js": (
        """
chrome.runtime.onMessage.addListener(async (m) => {
  const r = await fetch("http://localhost:11434/api/chat", { method: "POST", body: m.text });
});
""",
        {"endpoint"},
    ),
}

# None of it is a use: words in comments, texts and names, and modules of the tree's own.
CLEAN: dict[str, str] = {
    "README.md": "# Shop\n\nWe looked at openai and `from transformers import pipeline`.\n\n"
    "```python\nimport openai\n```\nSee https://api.openai.com/v1/chat/completions.\n",
    "shop/openai_prices.py": '"""Compares prices of OpenAI and others; no import openai."""\n\n'
    "# import openai\n# https://api.openai.com/v1\nopenai = 3\nanthropic_model = openai + 1\n"
    'TEXT = "We wrote about import openai and https://api.openai.com/v1 last year."\n',
    "shop/models.py": "class Model:\n    def load(self, path):\n        return path\n\n"
    "    def predict(self):\n        return 1\n\n\nmodel = Model()\nmodel.load('model.bin')\n",
    "shop/cohere.py": "def stick():\n    return 1\n",
    "shop/glue.py": "import cohere\nfrom agents import book\n\ncohere.stick()\nbook()\n",
    "shop/agents.py": "def book():\n    return 'travel'\n",
    "shop/chat.py": "def post(room, text):\n    return {'role': 'user', 'text': text, 'r': room}\n",
    "shop/cache.py": "import pickle\n\n\ndef get(path):\n    with open(path, 'rb') as file:\n"
    "        return pickle.load(file)\n",
    "shop/prompts/ask.py": "def prompt(text):\n    return input(text)\n",
    "shop/prompts/welcome.txt": "You are welcome. Please enter your name.\n",
    "shop/mail.txt": "You are an expert. Act now.\n",
    "web/package.json": json.dumps(
        {
            "name": "aid",
            "keywords": ["openai", "ai"],
            "dependencies": {"vue": "3", "replicator": "1"},
        }
    ),
    "web/app.js": "// import OpenAI from 'openai'\nconst openai = 'a word';\n"
    "/* https://api.anthropic.com */\nimport x from './openai';\nconst s = 'from openai';\n",
    "web/openai.js": "export default 1;\n",
    "web/page.html": "<p>fetch('https://api.openai.com/v1/x')</p><script>const a = 1;</script>\n",
    "main.go": 'package main\n\n// "github.com/sashabaranov/go-openai"\nimport "fmt"\n\n'
    'func main() { fmt.Println("openai") }\n',
    "deploy.yaml": "# image: ollama/ollama\nname: anthropic-rock\nimage: nginx\nmodel: T-1000\n"
    "description: we may use https://api.openai.com/v1 some day\nengine: v8\nprovider: aws\n",
    ".env": "MODEL=bike-900\nDATABASE_URL=postgres://db/openai\nAPI_KEY=abcdefghijklmn\nHOST=local\n",
    "data.jsonl": '{"messages": 3, "user": "x"}\n',
    "prices.csv": "vendor,price\nopenai,3\nhttps://api.openai.com/v1,4\n",
    "pyproject.toml": '[project]\nname = "shop"\nkeywords = ["openai"]\ndependencies = ["httpx"]\n'
    '[project.optional-dependencies]\nopenai = []\n[tool.setuptools]\npackages = ["cohere"]\n',
    "Cargo.toml": '[package]\nname = "ort"\n\n[dependencies]\nserde = "1"\n',
    "tests/test_shop.py": "def test_words():\n    assert 'openai' in {'openai', 'claude'}\n",
}


def lay(tree: dict[str, str], root: Path) -> Path:
    """Write ``tree`` under ``root``."""
    for name, text in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def planted(root: Path) -> Path:
    """Write the tree with every use, beside files that have none."""
    return lay({path: text for path, (text, _) in USES.items()}, root)
