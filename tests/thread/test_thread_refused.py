"""Every command there is, asked by somebody who has no role: refused, unless it opens nothing.

The commands are taken from the command line itself. One that is not told here how to call fails.
"""

import json

import click
import pytest
from thread_samples import Owner, cipherset, text_rows, vector_rows, write_rows

from cipherset.app.federated import Agreement
from cipherset.custody.ledger import Ledger
from cipherset.interfaces.cli.main import cli

CLIENT_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"  # RFC 8037, A.1
COLUMNS = ("--vector", "vec", "--label", "topic")
CLASSES = ("topic-0", "topic-1", "topic-2")
NOBODY = {"east": bytes(32), "south": bytes([1] * 32)}
# How to call each, with what ``places`` has; and those that need no leave, and why.
CALLS = {
    "asset approve": ("{rows}",),
    "asset suspend": ("{rows}",),
    "assess": ("{export}",),
    "audit breach": ("{rows}",),
    "audit checkpoint": ("--to", "{new}"),
    "audit emergencies": (),
    "audit export": ("--to", "{new}"),
    "audit find": ("--value", "a text"),
    "audit list": (),
    "audit retention": (),
    "audit watch": (),
    "backup": ("--to", "{new}"),
    "audit prove": ("1", "--checkpoint", "{checkpoint}", "--to", "{new}"),
    "calibrate": ("{rows}", *COLUMNS, "--to", "{new}"),
    "canary measure": ("mine", "--key", "support", "--model", "{rows}"),
    "canary plant": ("mine", "--key", "support", "--to", "{new}"),
    "chunks": ("{texts}", "--text", "body", "--key", "support"),
    "copies find": ("mine", "{checkpoint}", "--key", "support"),
    "copies index": ("mine", "{rows}", "--key", "support", "--text", "topic"),
    "deploy": ("{bundle}",),
    "discover": ("{rows}",),
    "evaluate": ("{bundle}", "{rows}"),
    "detokenize": ("a text", "--key", "support"),
    "forget": ("somebody", "--source", "{rows}", "--column", "topic"),
    "grant request": ("scan", "{rows}", "--for", "a look"),
    "index add": ("{index}", "{rows}"),
    "index build": ("{rows}", "--vector", "vec", "--key", "support", "--to", "{new}"),
    "index delete": ("{index}", "--row", "1"),
    "index reencrypt": ("{index}",),
    "index show": ("{index}",),
    "key bind": ("support", "--anywhere"),
    "key create": ("other",),
    "key destroy": ("support", "--yes", "--force"),
    "key retire": ("support",),
    "key rotate": ("support",),
    "policy activate": ("solo",),
    "policy unused": (),
    "predict": ("{bundle}", "{rows}"),
    "principal add": ("zoe", "--role", "reviewer"),
    "principal change": ("root", "--role", "reviewer"),
    "principal revoke": ("token-0123456789abcdef",),
    "principal token": ("kim", "--client-key", "{client_key}"),
    "protect": ("{rows}", *COLUMNS, "--key", "support", "--to", "{new}"),
    "redteam accept": ("1" * 32, "--reason", "x"),
    "redteam due": ("--every", "1h"),
    "redteam history": (),
    "redteam run": ("--quick", "--only", "values"),
    "relabel": ("{rows}", "--level", "internal", "--reason", "x"),
    "report": ("--since", "2020-01-01", "--to", "{new}"),
    "review list": (),
    "review settle": ("1" * 32, "harmless"),
    "review show": ("1" * 32,),
    "rounds join": (
        *("{export}", "--agreement", "{agreement}", "--name", "north"),
        *("--identity", "{identity}", "--socket", "{new}"),
    ),
    "sanitize": ("{texts}", "--text", "body", "--to", "{new}"),
    "scan": ("{rows}",),
    "search": ("{index}", "--value", "where is it?"),
    "service add": ("chat", "--url", "https://llm.example/v1", "--model", "small"),
    "train": ("{export}", "--to", "{new}", "--at-gate"),
    "view bom": (),
    "view inventory": (),
    "view exposure": (),
    "view risk": (),
    "view threats": (),
    "view lineage": ("{export}",),
}
FREE = {
    "asset list": "names, labels and standings, no rows",
    "audit accept": "refused by itself where there is nothing to accept",
    "audit review": "there is no emergency to review here",
    "audit verify": "must work on a ledger that cannot be written any more",
    "bundle": "opens no workspace",
    "console": "opens no key: each page is asked for at the gate, tests/console",
    "demo": "makes a workspace of its own",
    "doctor": "looks at what is installed and how it is kept; opens no key",
    "encoder get": "opens no workspace",
    "encoder list": "opens no workspace",
    "grant approve": "there is no request to vote on here; see the team",
    "grant deny": "the same",
    "grant list": "what was asked for and by whom is for all to see",
    "grant revoke": "the same as approve",
    "init": "makes the workspace",
    "inspect": "opens no workspace",
    "key environment": "opens no key",
    "key list": "names, versions and places, no secrets",
    "key show": "the same",
    "mlflow log": "opens no workspace",
    "mlflow promote": "takes an extra: refused in tests/stacks",
    "policy check": "opens no workspace",
    "policy explain": "what holds is for all to see",
    "policy schema": "opens no workspace",
    "policy show": "opens no workspace",
    "policy test": "opens no workspace",
    "principal key": "opens no workspace",
    "principal list": "who there is is for all to see",
    "principal tokens": "whose they are is for all to see; their secrets are not kept",
    "service list": "names, addresses and standings, no keys",
    "service remove": "there is no service here; see the relay",
    "serve": "opens no key by itself: who calls it is asked at the gate, each time",
}


def _leaves(command, name=""):
    if not isinstance(command, click.Group):
        yield name
        return
    context = click.Context(command)
    for each in command.list_commands(context):
        yield from _leaves(command.get_command(context, each), f"{name} {each}".strip())


@pytest.fixture(scope="module")
def places(tmp_path_factory, exported):
    folder = tmp_path_factory.mktemp("refused")
    home = folder / "workspace"
    for args in (
        ("init", "--policy", "team"),
        ("principal", "add", "kim", "--role", "key-custodian"),
        ("principal", "add", "eve", "--role", "auditor"),
        ("key", "create", "support", "--as", "kim"),
        ("audit", "checkpoint", "--to", folder / "checkpoint.json", "--as", "eve"),
    ):
        who = () if "--as" in args else ("--as", "root")
        done = cipherset(*args, *who, "--home", home, "--json")
        assert done.code == 0, done.out
    (folder / "client.pub").write_text(CLIENT_KEY + "\n")
    identity = cipherset("principal", "key", folder / "north.pem", "--json").json["public_key"]
    dim = exported.protected["dim"]
    agreed = Agreement({"north": bytes.fromhex(identity)} | NOBODY, CLASSES, dim, 900, 2, None)
    (folder / "agreement.json").write_text(json.dumps(agreed.as_json()))
    other = Owner(folder / "other")
    other.folder.mkdir()
    other.key("support")
    few = write_rows(other.folder / "rows.parquet", vector_rows(12))
    given = ("--approximation-factor", "4", "--accept-risk", "a test")
    to = ("--key", "support", "--to", other.folder / "rows.index")
    other.ok("index", "build", few, "--vector", "vec", *given, *to)
    return {
        "home": home,
        "client_key": folder / "client.pub",
        "agreement": folder / "agreement.json",
        "identity": folder / "north.pem",
        "rows": write_rows(folder / "rows.parquet", vector_rows(50)),
        "texts": write_rows(folder / "texts.jsonl", text_rows(30)),
        "export": exported.cipherset,
        "bundle": exported.bundle,
        "index": other.folder / "rows.index",
        "checkpoint": folder / "checkpoint.json",
        "new": folder / "new.jsonl",
    }


def test_each_command_is_told():
    assert set(_leaves(cli)) == CALLS.keys() | FREE.keys()


@pytest.mark.parametrize("name", sorted(CALLS))
def test_nobody_does_it(places, name):
    args = [part.format_map(places) for part in CALLS[name]]
    done = cipherset(*name.split(), *args, "--home", places["home"], "--as", "nobody", "--json")
    told = done.error
    assert (done.code, told["code"]) in {(3, "not_allowed"), (5, "signer")}, done.out
    assert not places["new"].exists()
    if done.code == 3:
        with Ledger(f"sqlite:///{places['home'] / 'ledger.sqlite'}") as ledger:
            *_, last = ledger.events()
        assert (last.actor, last.outcome) == ("nobody", "refused")
