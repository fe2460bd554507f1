"""More uses, written after the rules and run once before they were looked at again.

What was missed on that run is told in docs/reference/discovery.md.
"""

import json

LATER: dict[str, tuple[str, set[str]]] = {
    "a/settings.py": (
        """
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    llm_base: str = "https://api.together.xyz/v1"
    anthropic_api_key: str | None = None
""",
        {"endpoint", "key"},
    ),
    "a/urllib_only.py": (
        """
from urllib import request

ENDPOINTS = {"chat": "https://api.mistral.ai/v1/chat/completions"}


def ask(body):
    return request.urlopen(request.Request(ENDPOINTS["chat"], data=body))
""",
        {"endpoint"},
    ),
    "a/plain_socket.py": (
        """
import http.client

connection = http.client.HTTPSConnection("api.cohere.com", timeout=5)
""",
        {"endpoint"},
    ),
    "a/registry.py": (
        """
BACKENDS = {
    "small": ("openai", "gpt-4o-mini"),
    "large": ("anthropic", "claude-3-opus-20240229"),
}


def client(kind):
    module, model = BACKENDS[kind]
    return __import__(module), model
""",
        {"sdk", "model"},
    ),
    "a/whisper_cli.py": (
        """
import subprocess

subprocess.run(["ollama", "run", "mistral", "summarize"], check=True)
""",
        {"server"},
    ),
    "a/tf_hub.py": (
        """
import tensorflow_hub as hub

embed = hub.load("https://tfhub.dev/google/universal-sentence-encoder/4")
""",
        {"library", "model"},
    ),
    "a/spacy_use.py": (
        "import en_core_web_sm\n\nnlp = en_core_web_sm.load()\n",
        {"library", "model"},
    ),
    "a/torch_local.py": (
        """
import torch as t

net = t.jit.load("weights/detector.pt", map_location="cpu")
""",
        {"model"},
    ),
    "a/prompt_in_call.py": (
        """
def answer(client, question):
    return client.generate(
        system="You are the legal assistant of an insurer. Cite the clause.", text=question
    )
""",
        {"prompt"},
    ),
    "b/server.js": (
        """
import express from 'express';
const r = await axios({ baseURL: 'https://api.perplexity.ai', url: '/chat' });
""",
        {"endpoint"},
    ),
    "b/chain.tsx": (
        """
'use client';
import { useChat } from '@ai-sdk/react';
export default function Page() { return null; }
""",
        {"sdk"},
    ),
    "b/lazy.cjs": ("const lib = () => require('@google/generative-ai');\n", {"sdk"}),
    "b/worker.ts": (
        """
export default {
  async fetch(req: Request, env: Env) {
    return Response.json(await env.AI.run('@cf/meta/llama-3-8b-instruct', { prompt: 'x' }));
  },
};
""",
        {"model", "sdk"},
    ),
    "c/Ask.java": (
        """
package org.example;

public class Ask {
    static final java.net.URI WHERE = java.net.URI.create("https://api.openai.com/v1/embeddings");
}
""",
        {"endpoint"},
    ),
    "c/gradle/libs.versions.toml": (
        """
[versions]
lc = "1.0.0"

[libraries]
chat = { group = "dev.langchain4j", name = "langchain4j", version.ref = "lc" }
""",
        {"agent"},
    ),
    "c/build.sbt": ('libraryDependencies += "com.openai" % "openai-java" % "1.2.0"\n', {"sdk"}),
    "d/Program.cs": (
        """
using Azure;
using Azure.AI.OpenAI;

var client = new AzureOpenAIClient(new Uri(Environment.GetEnvironmentVariable("WHERE")!), null);
""",
        {"sdk"},
    ),
    "d/main.rs": (
        """
use reqwest::Client;

const URL: &str = "https://api.groq.com/openai/v1/chat/completions";
""",
        {"endpoint"},
    ),
    "d/model.cpp": ('#include "onnxruntime/core/session/onnxruntime_cxx_api.h"\n', {"library"}),
    "d/mix.exs": ('defp deps do\n  [{:openai, "~> 0.6"}]\nend\n', {"sdk"}),
    "d/DESCRIPTION": ("Package: ask\nImports:\n    httr2,\n    openai\n", {"sdk"}),
    "e/docker-compose.override.yaml": (
        """
services:
  tgi:
    image: "ghcr.io/huggingface/text-generation-inference:2.4"
    command: --model-id mistralai/Mistral-7B-Instruct-v0.3
""",
        {"server"},
    ),
    "e/helmfile.yaml": (
        """
releases:
  - name: inference
    chart: kserve/kserve
    set:
      - name: openaiApiKey
        value: ref+vault://kv/llm#key
""",
        {"key", "server"},
    ),
    "e/cloudformation.json": (
        json.dumps({"Resources": {"Fn": {"Type": "AWS::SageMaker::Endpoint", "Properties": {}}}}),
        {"sdk"},
    ),
    "e/dvc.yaml": (
        "stages:\n  train:\n    cmd: python -m trl.scripts.sft\n    deps: [d]\n",
        {"dataset", "library"},
    ),
    "e/.gitlab-ci.yml": (
        "review:\n  script:\n    - npx @anthropic-ai/claude-code -p 'review'\n",
        {"agent", "sdk"},
    ),
    "e/serverless.yml": (
        """
provider:
  environment:
    AZURE_OPENAI_ENDPOINT: https://acme.openai.azure.com
""",
        {"endpoint"},
    ),
    "e/settings.ini": ("[llm]\nmodel = gemini-1.5-flash\n", {"model"}),
    "e/.continue/config.json": (
        json.dumps({"models": [{"title": "x", "provider": "ollama", "model": "codellama:7b"}]}),
        {"model", "server"},
    ),
    "e/.codex/config.toml": (
        '[mcp_servers.github]\ncommand = "docker"\nargs = ["run", "x"]\n',
        {"mcp"},
    ),
    "e/claude_desktop_config.json": (
        json.dumps({"mcpServers": {"files": {"command": "uvx", "args": ["mcp-server-git"]}}}),
        {"mcp"},
    ),
    "e/etc/supervisord.conf": (
        "[program:llm]\ncommand=/opt/vllm/bin/python -m vllm.entrypoints.openai.api_server\n",
        {"server"},
    ),
    "e/crontab": ("0 3 * * * app ollama pull llama3.1 && /opt/run\n", {"server"}),
    "f/train.sh": (
        "#!/bin/bash\naccelerate launch train.py --model_name_or_path meta-llama/Llama-3.2-1B\n",
        {"library", "model"},
    ),
    "f/rows.jsonl": ('{"instruction": "Sort", "input": "", "output": "a"}\n', {"dataset"}),
    "f/dag.py": (
        """
from airflow.providers.openai.operators.openai import OpenAIEmbeddingOperator
""",
        {"sdk"},
    ),
    "f/query.sql": ("SELECT * FROM ML.GENERATE_TEXT(MODEL `p.d.m`, TABLE t);\n", {"sdk"}),
    "f/prompts/system.md": (
        "You are an experienced claims adjuster. Answer as JSON.\n",
        {"prompt"},
    ),
}
