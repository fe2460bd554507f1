"""The catalog is data: each row has a source, and a user's rows are checked before they count."""

import pytest
from discover_planted import lay
from hypothesis import given
from hypothesis import strategies as st

from cipherset.core.errors import InputError
from cipherset.evidence.discover.code import scan
from cipherset.evidence.discover.code.catalog import package_key
from cipherset.evidence.discover.code.rows import MOST_ROWS, load_catalog

KNOWN = load_catalog()
ROW = '[[service]]\nname = "Acme"\nkind = "sdk"\nsource = "https://acme.example/docs"\n'
HOSTS = sorted({host for service in KNOWN.services for host in service.names.get("hosts", ())})


def test_every_row_has_a_public_source():
    assert len(KNOWN.services) > 100
    for service in KNOWN.services:
        assert service.source.startswith("https://")
        assert service.names


def test_no_two_rows_claim_one_name():
    lists = (
        "python",
        "pypi",
        "npm",
        "go",
        "maven",
        "cargo",
        "nuget",
        "hosts",
        "variables",
        "images",
    )
    for name in lists:
        claimed = [
            package_key(name, value) for own in KNOWN.services for value in own.names.get(name, ())
        ]
        assert sorted({one for one in claimed if claimed.count(one) > 1}) == []


@given(st.sampled_from(HOSTS), st.text("abcxyz-.1", max_size=6), st.text("abcxyz-.1", max_size=6))
def test_hosts_against_the_plain_rule(host, before, after):
    """A ``*`` stands for one or more letters, digits, dots and dashes; the rest is the name."""
    tried = f"{before}{host.replace('*', 'x')}{after}".lower()
    by_hand = any(_is_like(tried.rstrip("."), other) for other in HOSTS)
    assert (KNOWN.host(tried) is not None) is by_hand


def _is_like(name: str, pattern: str) -> bool:
    if "*" not in pattern:
        return name == pattern
    begin, _, end = pattern.partition("*")
    return name.startswith(begin) and name.endswith(end) and len(name) > len(begin) + len(end)


@pytest.mark.parametrize(
    "host",
    [
        "api.openai.com.evil.example",
        "notapi.openai.com",
        "openai.com",
        "api-openai.com",
        "platform.openai.com",
        "sentry.io",
    ],
)
def test_other_hosts_are_not_taken_for_them(host):
    assert KNOWN.host(host) is None


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("gpt-4o-mini", True),
        ("openai/gpt-4.1", True),
        ("claude-3-5-sonnet-20241022", True),
        ("us.anthropic.claude-3-haiku-20240307-v1:0", True),
        ("llama3.2:3b", True),
        ("meta-llama/Llama-3.1-8B", True),
        ("command-r-plus", True),
        ("command-runner", False),
        ("gpt-4ever", False),
        ("claude-monet.jpg", False),
        ("x" * 300, False),
        ("gpt 4", False),
        ("mistralai/", False),
    ],
)
def test_names_of_models(name, is_one):
    assert (KNOWN.model(name) is not None) is is_one


@pytest.mark.parametrize(
    ("image", "service"),
    [
        ("ollama/ollama", "Ollama"),
        ("docker.io/ollama/ollama:0.5", "Ollama"),
        ("vllm/vllm-openai@sha256:abc", "vLLM"),
        ("nvcr.io/nim/meta/llama3:1", None),
        ("nvcr.io/nim/llama3:1.2", "NVIDIA NIM"),
        ("my/ollama", None),
        ("ollama/ollama-fake", None),
    ],
)
def test_images(image, service):
    found = KNOWN.image(image)
    assert (found.name if found else None) == service


def test_a_users_rows_count(tmp_path):
    path = tmp_path / "more.toml"
    path.write_text(
        ROW + 'python = ["acme_ai"]\nhosts = ["*.acme.example"]\nvariables = ["ACME_KEY"]\n'
    )
    lay(
        {
            "a.py": "import acme_ai\nask('https://eu.acme.example/v1')\nos.getenv('ACME_KEY')\n",
        },
        tmp_path / "tree",
    )
    report = scan([tmp_path / "tree"], catalog=path)
    assert {one.what for one in report.findings} == {
        "acme_ai",
        "eu.acme.example",
        "Acme credential",
    }
    assert report.catalog != scan([tmp_path / "tree"]).catalog == KNOWN.digest


@pytest.mark.parametrize(
    "text",
    [
        "not [ toml",
        "\ud800",
        "other = 1",
        "service = 3",
        "service = [3]",
        '[[service]]\nname = "x"\nkind = "sdk"\n',
        ROW.replace("sdk", "wish"),
        ROW + 'pythons = ["a"]\n',
        ROW + 'python = "a"\n',
        ROW + "python = [3]\n",
        ROW + 'python = ["x"]\n',
        ROW + f'python = ["{"x" * 300}"]\n',
        ROW.replace('"Acme"', "3"),
        '[[address]]\nwhat = "x"\nsource = "https://x"\nports = ["a"]\n',
        '[[call]]\nname = "x.y"\nkind = "model"\nsource = "https://x"\nposition = "a"\n',
        '[[file]]\nkind = "agent"\nsource = "https://x"\nnames = ["a.md"]\nwhere = "x"\n',
        ROW * (MOST_ROWS + 1),
        "#" * 8_000_001,
    ],
)
def test_a_catalog_of_another_form_is_refused(text, tmp_path):
    path = tmp_path / "more.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError) as refused:
        scan([tmp_path], catalog=path)
    assert refused.value.code == "discover_catalog"


def test_a_catalog_that_is_not_there(tmp_path):
    with pytest.raises(InputError) as refused:
        scan([tmp_path], catalog=tmp_path / "none.toml")
    assert refused.value.code == "discover_catalog"
