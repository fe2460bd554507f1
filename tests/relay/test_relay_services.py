"""Which services may be asked: proposed, approved, suspended; their addresses and their keys."""

from dataclasses import replace

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from relay_gateway import RULES, prepared, session_in
from relay_upstream import SECRET_KEY

from cipherset.app.access import principals
from cipherset.app.access.init import init
from cipherset.app.access.principals import Change
from cipherset.app.assets.standing import approve, suspend
from cipherset.app.serving.relay import registry, services
from cipherset.app.serving.relay.registry import Address, checked_url
from cipherset.app.serving.relay.services import ServiceRequest
from cipherset.app.serving.relay.wire.breaker import Breaker, State
from cipherset.app.workspace import open_workspace
from cipherset.core.errors import BackendError, CiphersetError, InputError, PolicyError, UsageError
from cipherset.custody.policy import BuiltIn

HERE = "http://127.0.0.1:9/v1"
BAD_URLS = [
    "ftp://llm.example/v1",
    "http://llm.example/v1",
    "http://10.0.0.7/v1",
    "http://169.254.169.254/latest",
    "https://169.254.169.254/latest",
    "https://[fe80::1]/v1",
    "https://0.0.0.0/v1",
    "https://user:password@llm.example/v1",
    "https://@llm.example/v1",
    "https://llm.example/v1?key=x",
    "https://llm.example/v1#x",
    "https://",
    "https://llm.example:port/v1",
    "https://[::1/v1",
    "https://llm example/v1",
    "https://llm.example/\n",
    "https://ünïcode.example/v1",
    "http://localhost.evil.example/v1",
    "llm.example",
    "https://llm.example/" + "x" * 400,
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_an_address_that_is_none(url):
    with pytest.raises(InputError) as refused:
        checked_url(url)
    assert refused.value.code == "service_url"
    assert "password" not in refused.value.message or "user" not in refused.value.message


@pytest.mark.parametrize(
    ("url", "one"),
    [
        ("https://LLM.example/v1/", "https://llm.example/v1"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("https://10.0.0.7/v1", "https://10.0.0.7/v1"),
    ],
)
def test_an_address_has_one_form(url, one):
    assert checked_url(url) == one
    assert checked_url(one) == one


@pytest.mark.parametrize(
    ("name", "models", "code"),
    [
        ("Chat", ["m"], "service_name"),
        ("chat", [], "service_models"),
        ("c", ["a b"], "service_models"),
    ],
)
def test_a_service_that_is_none(name, models, code):
    with pytest.raises(UsageError) as refused:
        Address.checked(name, HERE, models)
    assert refused.value.code == code


@pytest.mark.parametrize("text", ["", "two words", "two\nlines", "ünï", "x" * 5000])
def test_a_key_that_is_none(tmp_path, text):
    (tmp_path / "key").write_text(text)
    with pytest.raises(InputError) as refused:
        services.add(
            session_in(tmp_path / "home"), ServiceRequest("chat", HERE, ["m"], tmp_path / "key")
        )
    assert refused.value.code == "service_key"


def test_a_key_is_sealed_for_its_address(tmp_path):
    home = prepared(tmp_path / "workspace", HERE, RULES)
    raw = (home / "services" / "chat.json").read_text()
    assert SECRET_KEY not in raw
    with open_workspace(session_in(home)) as workspace:
        kept = registry.find(home, "chat")
        assert SECRET_KEY not in repr(kept)
        assert services.credential(workspace, kept) == SECRET_KEY
        elsewhere = replace(kept, address=replace(kept.address, url="https://evil.example/v1"))
        with pytest.raises(CiphersetError) as refused:
            services.credential(workspace, elsewhere)
    assert refused.value.code == "unseal"


def test_another_address_or_model_is_another_asset(tmp_path):
    home = prepared(tmp_path / "workspace", HERE, RULES)
    session = session_in(home)
    services.remove(session, "chat")
    assert services.list_services(session) == []
    added = services.add(session, ServiceRequest("chat", HERE + "/x", ["small"]))
    assert added.status == "proposed"
    services.remove(session, "chat")
    again = services.add(session, ServiceRequest("chat", HERE, ["small", "org/large"]))
    assert again.status == "retired"  # what was removed does not come back approved


def test_there_is_one_of_a_name(tmp_path):
    home = prepared(tmp_path / "workspace", HERE, RULES)
    with pytest.raises(UsageError) as refused:
        services.add(session_in(home), ServiceRequest("chat", HERE, ["m"]))
    assert refused.value.code == "service_exists"


def test_one_that_is_not_there_is_not_removed(tmp_path):
    for name in ("absent", "../keys/x"):
        with pytest.raises(UsageError) as refused:
            services.remove(session_in(tmp_path / "home"), name)
        assert refused.value.code == "service_unknown"
        with pytest.raises(UsageError) as refused:
            approve(session_in(tmp_path / "home"), f"service:{name}")
        assert refused.value.code == "service_unknown"


@pytest.mark.parametrize("raw", ["", "{}", '{"schema":"cipherset/service/1","name":"other"}'])
def test_a_file_that_is_none(tmp_path, raw):
    home = prepared(tmp_path / "workspace", HERE, RULES)
    (home / "services" / "chat.json").write_text(raw)
    with pytest.raises(CiphersetError) as refused:
        services.list_services(session_in(home))
    assert refused.value.code == "service_file"


def test_a_file_under_another_name(tmp_path):
    home = prepared(tmp_path / "workspace", HERE, RULES)
    (home / "services" / "chat.json").rename(home / "services" / "other.json")
    with pytest.raises(CiphersetError) as refused:
        registry.find(home, "other")
    assert refused.value.code == "service_file"


def _refused(client, model):
    with pytest.raises(openai.APIStatusError) as refused:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "x"}])
    return refused.value.status_code, refused.value.code, refused.value.body["hint"]


def test_only_what_is_approved_is_asked(home, upstream, served, client):
    session = session_in(home)
    services.add(session, ServiceRequest("shadow", upstream.url, ["small"]))
    status, code, hint = _refused(client, "shadow/small")
    assert (status, code) == (403, "service_unapproved")
    assert "cipherset asset approve service:shadow" in hint
    approve(session, "service:shadow")
    assert [each.id for each in client.models.list()][-1] == "shadow/small"
    suspend(session, "service:shadow")
    assert _refused(client, "shadow/small")[:2] == (403, "not_allowed")  # by the policy
    assert _refused(client, "chat/huge")[:2] == (403, "model_unlisted")
    assert _refused(client, "absent/small")[:2] == (404, "service_unknown")
    assert upstream.asked == []
    assert {one.outcome for one in served.events()} == {"intended", "refused"}


def test_a_breaker_opens_tries_and_closes():
    now = [0.0]
    breaker = Breaker(2, 10.0, lambda: now[0])

    def fail():
        breaker.enter()
        breaker.failed()

    fail()
    assert breaker.state is State.CLOSED
    fail()
    assert breaker.state is State.OPEN
    with pytest.raises(BackendError) as refused:
        breaker.enter()
    assert refused.value.code == "upstream_resting"
    now[0] = 10.0
    assert breaker.state is State.HALF_OPEN
    breaker.enter()
    with pytest.raises(BackendError):
        breaker.enter()  # one tries
    breaker.left()
    breaker.enter()  # the next one
    breaker.failed()
    assert breaker.state is State.OPEN
    now[0] = 20.0
    breaker.enter()
    breaker.succeeded()
    assert breaker.state is State.CLOSED


@given(st.lists(st.booleans(), max_size=30))
def test_a_breaker_is_open_after_so_many_failures_in_a_row(outcomes):
    breaker = Breaker(3, 10.0, lambda: 0.0)
    in_a_row = 0
    for is_good in outcomes:
        if breaker.state is State.OPEN:
            break
        breaker.enter()
        (breaker.succeeded if is_good else breaker.failed)()
        in_a_row = 0 if is_good else in_a_row + 1
        assert (breaker.state is State.OPEN) == (in_a_row >= 3)


def test_in_a_team_who_adds_a_service_does_not_approve_it(tmp_path):
    root = session_in(tmp_path / "workspace")
    init(root, BuiltIn.TEAM)
    for name, role in (("dan", "deployer"), ("rita", "reviewer"), ("sam", "scientist")):
        principals.add(root, Change(name, (role,)))
    asked = ServiceRequest("chat", HERE, ["small"])
    with pytest.raises(PolicyError) as refused:
        services.add(replace(root, actor="sam"), asked)
    assert refused.value.code == "not_allowed"
    assert services.add(replace(root, actor="dan"), asked).status == "proposed"
    for name in ("dan", "rita", "sam"):  # rita could, under a grant
        with pytest.raises(PolicyError) as refused:
            approve(replace(root, actor=name), "service:chat")
        assert refused.value.code == "not_allowed"
    with pytest.raises(PolicyError) as refused:
        services.remove(replace(root, actor="sam"), "chat")
    assert refused.value.code == "not_allowed"
