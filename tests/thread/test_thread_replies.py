"""Texts kept for models to read, and replies held back, from the command line."""

import pytest
from thread_samples import Owner, text_rows, write_rows

from cipherset.app.gate import About, Action
from cipherset.app.serving.outputs.review import hold_reply
from cipherset.app.workspace import Session, open_workspace
from cipherset.core import canonical
from cipherset.custody.policy import Kind
from cipherset.guard.outputs import Finding, Finish, Remedy, Verdict
from cipherset.guard.outputs import Kind as Found
from cipherset.interfaces.cli.output import TerminalProgress

REPLY = "Kilroy said so, and kilroy knows."
SERVICE = About(Kind.SERVICE, canonical.digest("a service"), "a service")


@pytest.fixture
def owner(tmp_path):
    owner = Owner(tmp_path)
    owner.key("support")
    return owner


def held(owner):
    """A reply that was held back, as the gateway does it."""
    session = Session(owner.home, "root", owner.folder, TerminalProgress())
    found = Finding(0, 6, Found.PERSONAL, "NAME", Remedy.REVIEW)
    verdict = Verdict(Finish.CONTENT_FILTER, (found,))
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.QUERY, "a service", {}, about=SERVICE) as act,
    ):
        return hold_reply(workspace, act, REPLY, verdict)


def test_texts_are_kept_sealed(owner):
    rows = [{**row, "body": f"{row['body']} kilroy"} for row in text_rows(5)]
    source = write_rows(owner.folder / "texts.jsonl", rows)
    done = owner.ok("chunks", source, "--text", "body", "--key", "support", "--for", "answers")
    assert done == {"chunks": 5}
    kept = [path for path in owner.home.rglob("*") if path.is_file()]
    assert all(b"kilroy" not in path.read_bytes() for path in kept)
    assert [each.outcome for each in owner.events("sanitize")] == ["intended", "done"]


def test_a_held_reply_is_listed_shown_and_settled(owner):
    assert owner.ok("review", "list") == {"reviews": []}
    review = held(owner)
    assert owner.ok("review", "list") == {"reviews": [review]}
    shown = owner.ok("review", "show", review)
    assert shown["text"] == REPLY
    assert shown["found"] == [{"start": 0, "end": 6, "name": "NAME"}]
    assert owner.ok("review", "settle", review, "harmless")["settled"] == "harmless"
    assert owner.ok("review", "list") == {"reviews": []}
    done = owner.run("review", "show", review)
    assert (done.code, done.error["code"]) == (2, "review_unknown")
