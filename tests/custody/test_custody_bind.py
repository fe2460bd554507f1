"""Keys bound to places: it is authenticated, asked for before opening, and changed as a whole."""

import itertools
import json

import pytest
from custody_ring_files import held

from cipherset.core.environment import NOWHERE, Environment, condition, differing
from cipherset.core.errors import BackendError, CiphersetError, PolicyError, UsageError
from cipherset.core.secret import Secret
from cipherset.custody.keys import KeyRing, KeyUse

HERE = Environment(host="alpha", machine="hmac-sha256:" + "1" * 64, package="sha256:" + "2" * 64)
BOUND = ("host=alpha",)


class Door:
    """Lets in where the conditions are met, and remembers what it was asked."""

    def __init__(self, environment=HERE):
        self.environment = environment
        self.asked = []

    def __call__(self, key, use):
        self.asked.append((key.name, use))
        if differing(key.only_in, self.environment):
            raise PolicyError("elsewhere", code="key_environment")


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def ring(tmp_path, door):
    made = KeyRing(tmp_path, admit=door)
    made.create("a", only_in=BOUND)
    return made


def code(call):
    with pytest.raises(CiphersetError) as caught:
        call()
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value.code


def secrets(ring, versions=(1,)):
    return [ring.open("a", n, purpose=KeyUse.QUERY).secret.reveal() for n in versions]


def edit(home, change):
    path = home / "keys" / "a.json"
    content = json.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content, sort_keys=True, separators=(",", ":")))


def test_each_opening_is_asked_for(ring, door):
    ring.rotate("a")
    for use in KeyUse:
        ring.open("a", purpose=use)
    key = ring.open("a", purpose=KeyUse.EXPORT)
    with ring.relying_on(key, purpose=KeyUse.EXPORT):
        pass
    ring.bind("a", ())
    uses = ["rotate", "export", "query", "measure", "export", "export", "bind"]
    assert door.asked == [("a", use) for use in uses]


def test_where_nobody_asks_which_place_this_is_no_bound_key_opens(ring, tmp_path):
    unasked = KeyRing(tmp_path)
    assert code(lambda: unasked.open("a", purpose=KeyUse.EXPORT)) == "key_environment"
    ring.create("free")
    assert unasked.open("free", purpose=KeyUse.EXPORT).key_id


def test_elsewhere_nothing_is_opened(ring, tmp_path):
    key = ring.open("a", purpose=KeyUse.EXPORT)
    elsewhere = KeyRing(tmp_path, admit=Door(Environment(host="beta")))
    before = (tmp_path / "keys" / "a.json").read_bytes()
    for use in KeyUse:
        assert code(lambda use=use: elsewhere.open("a", purpose=use)) == "key_environment"
    for call in (
        lambda: elsewhere.rotate("a"),
        lambda: elsewhere.bind("a", ()),
        lambda: elsewhere.relying_on(key, purpose=KeyUse.EXPORT).__enter__(),
    ):
        assert code(call) == "key_environment"
    assert (tmp_path / "keys" / "a.json").read_bytes() == before
    assert elsewhere.get("a").only_in == BOUND
    elsewhere.create("b")  # though the provider's key is tried on the bound one first


def test_a_ring_that_nobody_told_where_it_is_refuses(ring, tmp_path):
    plain = KeyRing(tmp_path)
    assert code(lambda: plain.open("a", purpose=KeyUse.QUERY)) == "key_environment"
    assert plain.create("b").only_in == ()
    plain.open("b", purpose=KeyUse.QUERY)


@pytest.mark.parametrize(
    "change",
    [
        lambda key: key.pop("only_in"),
        lambda key: key.update(only_in=["host=beta"]),
        lambda key: key.update(only_in=["host=alpha", "host=beta"]),
    ],
)
def test_an_edited_file_does_not_open(ring, tmp_path, change):
    edit(tmp_path, change)
    free = KeyRing(tmp_path, admit=lambda _key, _use: None)
    assert code(lambda: free.open("a", purpose=KeyUse.QUERY)) == "key_unwrap"
    assert code(lambda: free.bind("a", ())) == "key_unwrap"
    assert code(lambda: free.create("b")) == "key_unwrap"


def test_no_place_at_all_is_not_a_binding(ring, tmp_path):
    edit(tmp_path, lambda key: key.update(only_in=[]))
    assert code(lambda: ring.get("a")) == "key_corrupt"


def test_an_unbound_key_is_stored_as_before(tmp_path):
    ring = KeyRing(tmp_path)
    ring.create("a")
    edit(tmp_path, lambda key: key.setdefault("only_in", ["host=alpha"]))
    free = KeyRing(tmp_path, admit=lambda _key, _use: None)
    assert code(lambda: free.open("a", purpose=KeyUse.QUERY)) == "key_unwrap"
    edit(tmp_path, lambda key: key.pop("only_in"))
    assert len(secrets(ring)[0]) == 32


def test_binding_keeps_every_secret_and_wraps_it_anew(ring, tmp_path):
    ring.rotate("a", provider_uri="file:kek2")
    ring.rotate("a")
    ring.retire("a", 1)
    ring.destroy("a", 1)
    before, old = secrets(ring, (2, 3)), stored(tmp_path)
    made = ring.bind("a", ["package=sha256:" + "2" * 64, "host=alpha", "host=alpha"])
    assert made.only_in == ("host=alpha", "package=sha256:" + "2" * 64)
    assert secrets(ring, (2, 3)) == before
    assert "wrapped" not in stored(tmp_path)[0]
    for was, now in zip(old[1:], stored(tmp_path)[1:], strict=True):
        assert was["wrapped"] != now["wrapped"]
        assert {**was, "wrapped": now["wrapped"]} == now
    assert ring.bind("a", ()).only_in == ()
    assert [len(one) for one in secrets(KeyRing(tmp_path), (2, 3))] == [32, 32]


def stored(home):
    return json.loads((home / "keys" / "a.json").read_bytes())["versions"]


def test_a_new_version_is_bound_as_the_others(ring, tmp_path):
    ring.rotate("a")
    edit(tmp_path, lambda key: key.pop("only_in"))
    free = KeyRing(tmp_path, admit=lambda _key, _use: None)
    for version in (1, 2):
        opening = lambda version=version: free.open("a", version, purpose=KeyUse.QUERY)  # noqa: E731
        assert code(opening) == "key_unwrap"


class Dying:
    """A provider that dies at its so-manyth call, as a real one does."""

    uri = "file:kek"

    def __init__(self, provider, calls):
        self.provider, self.left = provider, calls

    def _count(self):
        self.left -= 1
        if self.left < 0:
            raise BackendError("gone", code="provider_unreachable")

    def wrap(self, plaintext, associated_data):
        self._count()
        return self.provider.wrap(plaintext, associated_data)

    def unwrap(self, wrapped, associated_data):
        self._count()
        return self.provider.unwrap(wrapped, associated_data)


@pytest.mark.parametrize(
    "move",
    [
        lambda ring: ring.bind("a", ["host=alpha", "host=beta"]),
        lambda ring: ring.rotate("a"),
        lambda ring: ring.create("b"),
    ],
)
def test_a_provider_that_dies_between_wrap_and_record_changes_nothing(ring, tmp_path, move):
    ring.rotate("a")
    before = secrets(ring, (1, 2))
    files = held(tmp_path)
    provider = ring._wrapper.provider("file:kek")
    for calls in itertools.count():
        ring._wrapper._providers["file:kek"] = Dying(provider, calls)
        try:
            move(ring)
        except BackendError as error:
            assert error.code == "provider_unreachable"
            assert held(tmp_path) == files
        else:
            break
    assert calls >= 3
    ring._wrapper._providers["file:kek"] = provider
    assert secrets(ring, (1, 2)) == before


def test_a_provider_that_opens_something_else_binds_nothing(ring, tmp_path):
    provider = ring._wrapper.provider("file:kek")
    before = (tmp_path / "keys" / "a.json").read_bytes()

    class Mixed(Dying):
        def unwrap(self, wrapped, associated_data):
            found = self.provider.unwrap(wrapped, associated_data)
            return Secret(bytes(32)) if b"beta" in associated_data else found

    ring._wrapper._providers["file:kek"] = Mixed(provider, 99)
    assert code(lambda: ring.bind("a", ["host=beta"])) == "key_unwrap"
    assert (tmp_path / "keys" / "a.json").read_bytes() == before


@pytest.mark.parametrize(
    ("conditions", "environment", "unmet"),
    [
        ((), NOWHERE, ()),
        (("host=alpha",), HERE, ()),
        (("host=beta", "host=alpha"), HERE, ()),
        (("host=beta",), HERE, ("host",)),
        (("host=alpha", "machine=x"), HERE, ("machine",)),
        (("host=alpha",), NOWHERE, ("host",)),
        (("identity=spiffe://a/b",), HERE, ("identity",)),
        (("identity=spiffe://a/b",), Environment(identity="spiffe://a/b"), ()),
        (("host=alpha", "weather=fine"), HERE, ("weather",)),
        (("host",), HERE, ("host",)),
        (("",), HERE, ("",)),
        (("identity=None",), HERE, ("identity",)),
    ],
)
def test_every_kind_that_is_named_must_be_met(conditions, environment, unmet):
    assert differing(conditions, environment) == unmet


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("host=Alpha.Example", "host=alpha.example"),
        ("host=current", "host=alpha"),
        ("package=current", "package=sha256:" + "2" * 64),
        ("machine=hmac-sha256:" + "a" * 64, "machine=hmac-sha256:" + "a" * 64),
        ("identity=spiffe://prod/gateway", "identity=spiffe://prod/gateway"),
    ],
)
def test_conditions_as_they_are_written(text, expected):
    assert condition(text, HERE) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host",
        "host=",
        "host=a b",
        "Host=alpha",
        "weather=fine",
        "machine=" + "a" * 64,
        "package=2",
        "identity=gateway",
        "identity=current",
        "host=alpha\n",
    ],
)
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(UsageError) as caught:
        condition(text, HERE)
    assert caught.value.code == "key_condition"
    assert "--only-in" in caught.value.hint
