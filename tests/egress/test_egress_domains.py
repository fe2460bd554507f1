"""Which service a host belongs to: whole labels, the longest domain, and nobody else's."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.core.errors import InputError
from cipherset.evidence.discover.egress import Service, ServiceList, read_services, shipped
from cipherset.evidence.discover.egress.lookalike import skeleton
from cipherset.evidence.discover.egress.names import address_of, host_of, normalized, shown

LIST = shipped()
LABELS = sorted(
    {part for each in LIST.services for one in each.domains for part in one.strip("=").split(".")}
    | {"us-east-1", "evil", "example", "a", "xn--penai-26e"}
)
HOSTS = st.lists(
    st.sampled_from(LABELS) | st.text(string.ascii_lowercase + "-", min_size=1, max_size=8),
    min_size=1,
    max_size=6,
).map(".".join)


def id_of(host):
    found = LIST.of(host)
    return None if found is None else found.id


def slow_id(host):
    """By a regular expression for each domain; the one with the most labels, exact ones first."""
    name = normalized(host)
    if name is None:
        return None
    patterns = [(domain, None) for domain in LIST.shared]
    patterns += [(domain, None) for each in LIST.services for domain in each.apart]
    patterns += [(domain, each.id) for each in LIST.services for domain in each.domains]
    fits = []
    for domain, service in patterns:
        exact, bare = domain.startswith("="), domain.lstrip("=")
        body = re.escape(bare).replace(r"\*", "[a-z0-9-]+")
        if re.fullmatch(("" if exact else r"([^.]+\.)*") + body, name):
            fits.append((exact, bare.count("."), "*" not in bare, service))
    return max(fits, key=lambda fit: fit[:3])[3] if fits else None


@given(HOSTS)
def test_the_slow_answer_is_the_same(host):
    assert id_of(host) == slow_id(host)


@given(st.sampled_from(LIST.services), st.data())
def test_every_listed_domain_and_what_is_below_it_is_found(service, data):
    domain = data.draw(st.sampled_from(service.domains)).replace("*", "eu-west-3")
    assert id_of(domain) is not None
    assert id_of(f"x7.{domain}") is not None
    assert domain.count(".") > 1 or id_of(f"x7{domain}") is None
    assert id_of(f"{domain}.evil.example") is None


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("chatgpt.com", "chatgpt"),
        ("CHATGPT.com.", "chatgpt"),
        ("chat.openai.com:443", "chatgpt"),
        ("us.api.openai.com", "openai-api"),
        ("claude.ai", "claude"),
        ("api.anthropic.com", "anthropic-api"),
        ("generativelanguage.googleapis.com", "gemini-api"),
        ("europe-west4-aiplatform.googleapis.com", "vertex-ai"),
        ("aiplatform.googleapis.com", "vertex-ai"),
        ("bedrock-runtime.eu-central-1.amazonaws.com", "bedrock"),
        ("contoso.openai.azure.com", "azure-openai"),
        ("api-inference.huggingface.co", "huggingface-inference"),
        ("huggingface.co", "huggingface"),
        ("q.eu-west-1.amazonaws.com", "amazon-q"),
        ("ＣｈａｔＧＰＴ．com", "chatgpt"),
    ],
)
def test_known_hosts(host, service):
    assert id_of(host) == service


@pytest.mark.parametrize(
    "host",
    [
        *("openai.com.evil.example", "openai-com.net", "notopenai.com", "xn--openi-9ve.com"),
        *("s3.us-east-1.amazonaws.com", "storage.googleapis.com", "fonts.googleapis.com"),
        *("contoso.azurewebsites.net", "auth0.com", "cdn.auth0.com", "o33249.ingest.sentry.io"),
        *("unpkg.com", "api.statsig.com", "www.gravatar.com", "cdnjs.cloudflare.com"),
        *("chat.openai.com.cdn.cloudflare.net", "auth.openai.com", "status.anthropic.com"),
        *("cdn-lfs.huggingface.co", "com", "ai", "", ".", "10.0.0.5", "[2001:db8::1]:443"),
    ],
)
def test_nobody_is_accused_of_these(host):
    assert id_of(host) is None


@pytest.mark.parametrize(
    ("host", "like"),
    [
        ("openai.com.evil.example", "openai.com"),
        ("openai-com.net", "openai"),
        ("notopenai.com", "openai"),
        ("0penai.com", "openai"),
        ("орenai.com", "openai"),
        ("xn--chtgpt-4nf.com", "chatgpt"),
        ("xn--penai-iye.com", "openai"),  # a small Cyrillic o
        ("xn--penai-0se.com", "openai"),  # a capital one, which the codec idna does not take
        ("xn--penai-8i00d.com", "openai"),  # a mathematical letter, the same
        ("xn--openai-bja.com", "openai"),  # with a hyphen that is not drawn
        ("xn--penai-26e.com", None),  # a letter that looks like none of it
        ("xn--99999999.com", None),
        ("chat.openai.com.cdn.cloudflare.net", None),
        ("openai-api.arkoselabs.com", None),
        ("chatgpt.com", None),
        ("auth.openai.com", None),
        ("example.com", None),
    ],
)
def test_look_alikes_are_told_apart(host, like):
    assert LIST.looks_like(host) == like
    assert like is None or LIST.of(host) is None


@pytest.mark.parametrize(
    ("host", "read"),
    [
        ("xn--penai-26e.com", "\u0470penai.com"),
        ("www.xn--penai-iye.com", "www.\u043epenai.com"),
        ("xn--99999999.com", "xn--99999999.com"),
        ("openai.com", "openai.com"),
    ],
)
def test_labels_in_punycode_are_read_as_they_are_written(host, read):
    assert shown(host) == read


@given(st.text(max_size=40))
def test_any_text_has_a_skeleton(text):
    skeleton(text)
    skeleton(f"xn--{text}")


def test_each_row_says_where_and_when_it_was_read():
    assert len(LIST.services) >= 80
    assert all(each.source.startswith("https://") for each in LIST.services)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", each.read) for each in LIST.services)


def test_no_domain_is_of_two_services():
    domains = [domain for each in LIST.services for domain in each.domains]
    assert len(domains) == len(set(domains))


@given(st.text(max_size=60))
def test_any_text_is_a_name_or_none(text):
    name = normalized(text)
    assert name is None or normalized(name) == name
    assert host_of(text) is None or normalized(host_of(text)) == host_of(text)
    assert address_of(text) is None or address_of(address_of(text)) == address_of(text)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://user:pw@Claude.ai:443/chat?x#y", "claude.ai"),
        ("claude.ai:443", "claude.ai"),
        ("//claude.ai/x", "claude.ai"),
        ("claude.ai/x", "claude.ai"),
        ("about:blank", None),
        ("file:///etc/passwd", None),
        ("https://10.0.0.1/x", None),
    ],
)
def test_the_host_of_an_address(text, host):
    assert host_of(text) == host


ROW = (
    '{ id = "ours", name = "Ours", vendor = "We", is = "chat", domains = ["%s"], source = "wiki" }'
)


def listed(domain="ai.corp.example", head='schema = "cipherset/ai-services/1"', more=""):
    return f"{head}\n{more}\nservice = [{ROW % domain}]\n"


def test_a_list_of_ones_own_adds_to_the_shipped_one_and_holds_over_it():
    both = LIST.with_more(read_services(listed("chatgpt.com")))
    assert both.of("chatgpt.com").id == "ours"
    assert both.of("claude.ai").id == "claude"
    assert both.of("sora.chatgpt.com").id == "sora"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("not = [toml", "not TOML"),
        ("", "schema"),
        (listed(head='schema = "other/1"'), "schema"),
        (listed("com"), "a domain that is none"),
        (listed("*.com"), "a domain that is none"),
        (listed("*"), "a domain that is none"),
        (listed("a b.example"), "a domain that is none"),
        (listed(more='brands = ["ai"]'), "brands"),
        (listed(more='extra = "x"'), "extra"),
        ('schema = "cipherset/ai-services/1"\nservice = []', "service"),
    ],
)
def test_a_list_that_is_none_is_refused(text, found):
    with pytest.raises(InputError, match=found) as refused:
        read_services(text, "mine.toml")
    assert refused.value.code == "egress_services"
    assert "mine.toml" in refused.value.message


def test_a_domain_may_stand_for_one_name_alone():
    one = ServiceList([Service("x", "X", "X", "chat", ("=x.example",))])
    assert one.of("x.example").id == "x"
    assert one.of("a.x.example") is None


def test_what_is_kept_of_hosts_is_bounded(monkeypatch):
    from cipherset.evidence.discover.egress import services

    monkeypatch.setattr(services, "_MOST_KEPT", 4)
    few = ServiceList([Service("x", "X", "X", "chat", ("x.example",))])
    assert [few.of(f"{i}.x.example").id for i in range(20)] == ["x"] * 20
    assert len(few._kept) <= 4
