"""An owner behind its socket: the calls of a round as lines, and an agreement as a file."""

import json
import socket
import stat
import time
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import replace
from threading import Thread

import numpy as np
import pytest
from federated_samples import NAMES, identities, roster, started, whole

from cipherset.app.federated import Agreement, Contribution, Owner, answer, answer_at
from cipherset.app.federated import read_agreement as read
from cipherset.core.errors import CiphersetError, UsageError
from cipherset.core.values import Guarantee
from cipherset.pipeline.federated import (
    Member,
    Round,
    announcement_json,
    floats_text,
    masked_json,
    read_announcements,
    read_floats,
    read_hex,
    read_masked,
)

DIM, CLASSES = 4, ("a", "b")
KEPT = {"epsilon": 3.0, "delta": 1e-6}
AGREED = Agreement(roster(), CLASSES, DIM, 40, 2, None, name="first", purpose="routing")


def rows(seed=0):
    x = np.random.default_rng(seed).normal(size=(10, DIM))
    return Contribution(x / np.linalg.norm(x, axis=1, keepdims=True), list("ababababab"))


def owner(name="north"):
    return Owner(name, identities()[name], rows(), AGREED)


def refused(work, *given):
    with pytest.raises(CiphersetError) as caught:
        work(*given)
    return caught.value.code


def line(**asked):
    return json.dumps(asked).encode() + b"\n"


def told_to(there, **asked):
    """The answer, as it is after a wire."""
    return json.loads(json.dumps(answer(there, line(**asked))))


def summed(asks, weights):
    """One round by lines alone: what the sum is."""
    turn = Round(roster(), weights.size)
    for ask in asks:
        told = ask(ask="join", round=turn.round_id.hex())
        turn.announce(*read_announcements([told["announcement"]]))
    announced = [announcement_json(one) for one in turn.close()]
    for ask in asks:
        told = ask(ask="update", weights=floats_text(weights), announced=announced)
        turn.take(read_masked(told["masked"]))
    return turn.total()


def direct(weights):
    """The same by calls."""
    turn, those = Round(roster(), weights.size), [owner(name) for name in NAMES]
    for one in those:
        turn.announce(one.join(turn.round_id))
    announced = turn.close()
    for one in those:
        turn.take(one.update(weights, announced))
    return turn.total()


WEIGHTS = np.random.default_rng(1).normal(size=AGREED.shape)


def test_a_round_by_lines_is_the_round_by_calls():
    those = [owner(name) for name in NAMES]

    def asking(one):
        return lambda **asked: told_to(one, **asked)

    assert (summed([asking(one) for one in those], WEIGHTS) == direct(WEIGHTS)).all()
    assert {one.left for one in those} == {AGREED.releases - 1}


@contextmanager
def answering(folder, names=NAMES):
    """Owners at their sockets, how to ask them, and what they were told of refusals."""
    refusals = []
    threads, asks = [], []
    for name in names:
        place = folder / f"{name}.sock"
        given = (owner(name), place, refusals.append)
        threads.append(Thread(target=answer_at, args=given, daemon=True))
        threads[-1].start()
        asks.append(lambda place=place, **asked: asked_at(place, line(**asked)))
    yield asks, refusals
    for ask in asks:
        ask(ask="leave")
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def asked_at(place, raw):
    """Each line on a connection of its own: a round may span them."""
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(600)
        for _ in range(600):
            try:
                caller.connect(str(place))
                break
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.1)
        caller.sendall(raw)
        return json.loads(caller.makefile("rb").readline())


def test_a_round_over_sockets_is_the_round_by_calls(tmp_path):
    with answering(tmp_path) as (asks, refusals):
        assert (summed(asks, WEIGHTS) == direct(WEIGHTS)).all()
        mode = (tmp_path / "north.sock").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
    assert refusals == []
    assert list(tmp_path.iterdir()) == []


def test_of_a_refusal_the_code_alone_goes_out(tmp_path):
    with answering(tmp_path, NAMES[:1]) as ((ask,), refusals):
        told = ask(ask="update", weights=floats_text(WEIGHTS), announced=[])
        assert told == {"error": "round_member"}
        assert asked_at(tmp_path / "north.sock", b"\xff\n") == {"error": "round_asked"}
    assert [one.code for one in refusals] == ["round_member", "round_asked"]


def test_who_hangs_up_before_the_answer_does_not_end_it(tmp_path):
    with answering(tmp_path, NAMES[:1]) as ((ask,), _):
        ask(ask="join", round=bytes(16).hex())
        for _ in range(5):
            with socket.socket(socket.AF_UNIX) as caller:
                caller.connect(str(tmp_path / "north.sock"))
                caller.sendall(line(ask="join", round=bytes(16).hex()) * 50)
        assert "announcement" in ask(ask="join", round=bytes(16).hex())


def test_a_socket_that_is_there_is_not_taken(tmp_path):
    (tmp_path / "north.sock").touch()
    assert refused(answer_at, owner(), tmp_path / "north.sock", print) == "target_exists"


def test_a_socket_that_was_left_behind_is_taken_and_one_in_use_is_not(tmp_path):
    with socket.socket(socket.AF_UNIX) as stopped:
        stopped.bind(str(tmp_path / "north.sock"))
    with answering(tmp_path, NAMES[:1]) as ((ask,), _):
        assert "announcement" in ask(ask="join", round=bytes(16).hex())
        assert refused(answer_at, owner(), tmp_path / "north.sock", print) == "target_exists"
        assert "announcement" in ask(ask="join", round=bytes(16).hex())


def test_of_several_who_find_what_was_left_behind_one_takes_it(tmp_path):
    place, lost = tmp_path / "north.sock", []
    with socket.socket(socket.AF_UNIX) as stopped:
        stopped.bind(str(place))

    def try_it() -> None:
        try:
            answer_at(owner(), place, print)
        except UsageError as error:
            lost.append(error.code)

    threads = [Thread(target=try_it, daemon=True) for _ in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(600):
        if len(lost) == 5:
            break
        time.sleep(0.1)
    assert lost == 5 * ["target_exists"]
    assert asked_at(place, line(ask="leave"))["left"] == AGREED.releases
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert not place.exists()


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"{", b"\xff", b"[" * 100_000, line(ask="rows"), line()]
    + [line(ask="leave", more=[value] * 20_000) for value in (0, [], {})],
)
def test_what_is_not_asked_of_an_owner_is_refused(raw):
    assert refused(answer, owner(), raw) == "round_asked"


ANNOUNCED = announcement_json(Member("north", identities()["north"], bytes(16)).announce())


@pytest.mark.parametrize(
    "asked",
    [
        {"ask": "join"},
        {"ask": "join", "round": 7},
        {"ask": "join", "round": "xyz"},
        {"ask": "join", "round": "00" * 65},
        {"ask": "update", "weights": "", "announced": "all"},
        {"ask": "update", "weights": "", "announced": [7]},
        {"ask": "update", "weights": "", "announced": [{**ANNOUNCED, "name": 7}]},
        {"ask": "update", "weights": "", "announced": [{**ANNOUNCED, "name": "\ud800"}]},
        {"ask": "update", "weights": "", "announced": [{**ANNOUNCED, "public_key": "x"}]},
        {"ask": "update", "weights": None, "announced": [ANNOUNCED]},
        {"ask": "update", "weights": "?", "announced": [ANNOUNCED]},
        {"ask": "update", "weights": b64encode(bytes(9)).decode(), "announced": [ANNOUNCED]},
    ],
)
def test_what_is_no_message_is_refused(asked):
    assert refused(answer, owner(), line(**asked)) == "round_message"


def test_weights_of_another_shape_are_refused_as_such():
    one = owner()
    told = told_to(one, ask="join", round=bytes(16).hex())
    rest = [Member(name, identities()[name], bytes(16)).announce() for name in NAMES[1:]]
    announced = [told["announcement"], *map(announcement_json, rest)]
    asked = line(ask="update", weights=floats_text(WEIGHTS[1:]), announced=announced)
    assert refused(answer, one, asked) == "round_weights"


def test_messages_are_read_back_as_they_were():
    _, members, announced = started()
    sealed = members["north"].seal(whole(), announced, roster())
    assert read_announcements([announcement_json(one) for one in announced]) == announced
    back = read_masked(json.loads(json.dumps(masked_json(sealed))))
    assert back.signed == sealed.signed
    assert (back.signature, back.name) == (sealed.signature, "north")
    assert refused(read_masked, {**masked_json(sealed), "values": "A"}) == "round_message"
    assert (read_floats(floats_text(WEIGHTS)) == WEIGHTS.ravel()).all()
    assert read_hex("00ff") == b"\x00\xff"


# ---- agreements


def written(folder, **changed):
    place = folder / "agreement.json"
    place.write_text(json.dumps({**AGREED.as_json(), **changed}))
    return place


@pytest.mark.parametrize("guarantee", [None, Guarantee(3.0, 1e-6)])
def test_an_agreement_is_read_as_it_was_written(tmp_path, guarantee):
    agreed = replace(AGREED, guarantee=guarantee)
    (tmp_path / "agreement.json").write_text(json.dumps(agreed.as_json()))
    found = read(tmp_path / "agreement.json")
    assert found == agreed
    assert found.digest == agreed.digest
    assert found.digest != AGREED.digest or guarantee is None


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"roster": {"north": "00"}}, "agreement"),
        ({"schema": "cipherset/agreement/2"}, "agreement"),
        ({"more": 1}, "agreement"),
        ({"dim": "4"}, "agreement"),
        ({"row_norm": 0.0}, "agreement"),
        ({"row_norm": 1e-310}, "agreement"),
        ({"row_norm": float("inf")}, "agreement"),
        ({"steps": 7}, "agreement"),
        ({"dim": 10**400}, "agreement"),
        ({"repeats": 10**400}, "agreement"),
        ({"absent": -1}, "agreement"),
        ({"name": "\udc80"}, "agreement"),
        ({"dim": 2**40, "repeats": 2**40, "guarantee": KEPT}, "private_budget"),
        ({"honest": 1}, "honest"),
        ({"absent": 3}, "honest"),
        ({"roster": dict.fromkeys("abc", "07" * 32)}, "agreed_roster"),
        ({"classes": ["b", "a"]}, "agreed_classes"),
        ({"guarantee": {"epsilon": 99.0, "delta": 1e-6}}, "guarantee"),
    ],
)
def test_what_nobody_can_agree_on_is_refused(tmp_path, changed, code):
    assert refused(read, written(tmp_path, **changed)) == code


def test_an_agreement_that_is_no_json_or_not_there_is_refused(tmp_path):
    for text in ("{", "[" * 200_000):
        (tmp_path / "text").write_text(text)
        assert refused(read, tmp_path / "text") == "agreement"
    assert refused(read, tmp_path / "nowhere") == "disk"
