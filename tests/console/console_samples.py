"""A workspace in which something has happened, and a console over it."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from starlette.testclient import TestClient

from cipherset.app import keys
from cipherset.app.access import grants
from cipherset.app.access.grants import Wish
from cipherset.app.access.init import init
from cipherset.app.access.principals import Change, add
from cipherset.app.assess.finding import (
    FINDING,
    REPORT,
    Bound,
    Finding,
    signed,
    signer_facts,
    suite_digest,
)
from cipherset.app.audit.newest import newest
from cipherset.app.audit.show import Wanted
from cipherset.app.serving.quiet import Quiet
from cipherset.app.workspace import Session, Workspace, hold, open_workspace
from cipherset.core import canonical
from cipherset.core.canonical import digest_bytes
from cipherset.core.errors import PolicyError
from cipherset.custody.ledger import Ledger, Outcome, RunStatus, Transaction
from cipherset.custody.ledger.budgets import Debit, debit
from cipherset.custody.policy import Action, Authenticated, BuiltIn, Verdict
from cipherset.interfaces.http.app import build_app
from cipherset.interfaces.http.identity.known import Known, unidentified
from cipherset.interfaces.http.limits import DEFAULT_LIMITS
from cipherset.interfaces.http.reload import Reload
from cipherset.interfaces.http.server import Server, Settled, listen
from cipherset.interfaces.http.services import Services

TEAM = {
    "dora": "data-owner",
    "rita": "reviewer",
    "eve": "auditor",
    "ivan": "ingester",
    "kim": "key-custodian",
    "sam": "scientist",
}
WHO = "X-Test-Certificate"
BROWSER = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}


class Shown:
    """Whoever shows a certificate with their name in it; here a header stands for the handshake."""

    def identify(self, request) -> Known:
        name = request.headers.get(WHO)
        if not name:
            raise unidentified()
        return Known(name, Authenticated.CERTIFICATE, "127.0.0.1")


def of(text: str) -> str:
    """A digest to call something by."""
    return digest_bytes(text.encode())


def session_of(home: Path, actor: str = "root") -> Session:
    return Session(home, actor, home.parent, Quiet())


@dataclass(frozen=True)
class Names:
    """What people may write anything into; a test plants markup there."""

    source: str = "tickets.csv"
    key_purpose: str = "ticket routing"
    grant_purpose: str = "route support tickets"
    note: str = "for the pilot"
    model: str = "ticket router"
    owner: str = "dora"
    subject: str = "somebody"
    reason: str = "the attacks listed got at most 0.90% beyond the clear columns"


def team_with(home: Path, names: Names = Names()) -> None:
    """One person for each piece of the work, a key, and a little of everything in the ledger."""
    root = session_of(home)
    init(root, BuiltIn.TEAM)
    for name, role in TEAM.items():
        add(root, Change(name, (role,)))
    keys.create(replace(root, actor="kim"), "support", purpose=names.key_purpose, provider=None)
    with open_workspace(root) as workspace:
        (key,) = workspace.ring.list()
        workspace.gate.ledger.transact(lambda work: _things(work, key.key_id, names))
        _keep_finding(workspace, key.key_id, names)
        calibrated(workspace, names)
    wish = Wish(Action.DEPLOY, (of("model"),), names.grant_purpose, note=names.note)
    grants.request(replace(root, actor="sam"), wish)
    grants.request(replace(root, actor="sam"), Wish(Action.EXPORT, (of("export"),), "analysis"))
    for _ in range(3):
        with suppress(PolicyError):
            newest(replace(root, actor="sam"), Wanted(), before=None, most=1)


def _things(work: Transaction, key_id: str, names: Names) -> None:
    def asset(name: str, kind: str, title: str, **attributes: object) -> str:
        return work.record_asset(
            of(name), actor="ivan", kind=kind, name=title, attributes=attributes
        ).id

    def run(kind: str, inputs: list[str], outputs: list[str], **parameters: object) -> None:
        made = work.start_run(kind, actor="ivan", inputs=inputs, parameters=parameters)
        work.finish_run(made.id, status=RunStatus.DONE, outputs=outputs)

    tickets = asset("tickets", "dataset", names.source, owner=names.owner)
    reviews = asset("reviews", "dataset", "reviews.jsonl")
    run("classify", [tickets], [], label=_label("restricted", ["PII"], ["customer"]))
    run("classify", [reviews], [], label=_label("internal", [], ["public"]))
    key = {"key_id": key_id, "key_version": 1}
    for name, source, rows in (("export", tickets, 6210), ("second", reviews, 48_000)):
        shown = {"cipherset_id": of(name)[7:39], "rows": rows, **key, "purpose": names.key_purpose}
        made = asset(name, "dataset", f"cipherset {of(name)[7:39]}", **shown)
        run("protect", [source], [made], **key, mixing=None)
    run("train", [of("export")], [asset("model", "model", names.model, **key)], at_gate=False)
    run("approve", [of("model")], [])
    _attacked(run, names)
    asset("service", "service", "chat/small")
    run("forget", [reviews], [])
    _assessed(work, "export", "within limit", 0.021, 400, suite_digest())
    _assessed(work, "second", "not protective", 0.31, 480, of("an older suite"))
    debit(work, (Debit("pairs.noisy", f"{key_id} v1", 88, None),))
    work.append(
        actor="cipherset watch",
        action="alert",
        subject=names.subject,
        outcome=Outcome.DONE,
        body={"id": "0" * 16, "kind": "bulk", "of": "predict", "found": 9000, "usual": 120},
    )


def _attacked(run: Callable[..., None], names: Names) -> None:
    """Two runs of the red team, of which the second found more."""
    for n, value in enumerate((0.02, 0.31)):
        line = {
            "source": "cipherset",
            "attack": "centroid matching",
            "against": of("export"),
            "name": f"dataset {names.source}",
            "metric": "reid_rank1",
            "value": value,
            "ci": [value / 2, value + 0.02],
            "n": 400,
            "chance": 0.003,
            "limit": 0.05,
            "given": "",
            "bound": of("bound"),
            "verdict": "within limit" if value < 0.05 else "over limit",
        }
        run("redteam", [of("export")], [], finding_id=f"{n:032}", quick=False, lines=[line])


def calibrated(workspace: Workspace, names: Names) -> str:
    """A calibration that was kept; its id."""
    points = [_point("bottleneck:6", 12.0, 0.93, 0.006), _point("none", 1.0, 0.94, 0.98)]
    figures = {
        "frontier": points,
        "recommended": points[0],
        "plain": 0.94,
        "max_reid": 0.05,
        "in_words": names.reason,
        "text": ["body"],
    }
    raw = canonical.encode({"source": names.source, "figures": figures})
    found = digest_bytes(raw).removeprefix("sha256:")
    folder = workspace.home / "calibrations"
    folder.mkdir(exist_ok=True)
    (folder / f"{found}.json").write_bytes(raw)
    workspace.gate.ledger.append(
        actor="ivan",
        action="calibrate",
        subject=names.source,
        outcome=Outcome.DONE,
        body={"kept": found},
    )
    return found


def _point(minimizer: str, factor: float, utility: float, reid: float) -> dict[str, object]:
    return {
        "minimizer": minimizer,
        "scheme": "rsap/1",
        "approximation_factor": factor,
        "fitted": "",
        "utility": utility,
        "utility_ci": [utility - 0.01, utility + 0.01],
        "gain": None,
        "gain_ci": None,
        "reid": reid,
        "reid_ci": [reid / 2, min(1.0, reid * 2)],
        "reid_key_safe": None,
        "reid_key_safe_ci": None,
        "offered": minimizer != "none",
    }


def _label(level: str, tags: list[str], trusts: list[str]) -> dict[str, object]:
    return {"level": level, "tags": tags, "trusts": trusts}


def _assessed(
    work: Transaction, name: str, verdict: str, reid: float, n_star: int, suite: str
) -> None:
    body = {
        "finding": of(name)[7:39],
        "cipherset_id": of(name)[7:39],
        "manifest": of(name),
        "verdict": verdict,
        "reid": reid,
        "n_star": n_star,
        "n_star_noise_free": n_star // 2,
        "pair_cap": n_star // 4,
        "limit": 0.05,
        "suite": suite,
    }
    work.append(actor="rita", action="assess", subject=name, outcome=Outcome.DONE, body=body)


def _keep_finding(workspace: Workspace, key_id: str, names: Names) -> None:
    """The finding about the first export, signed; that of the second is lost."""
    line = {"name": "centroid matching", "knowledge": "K1", "metric": "reid_rank1", "value": 0.012}
    line |= {"ci": [0.004, 0.028], "chance": 0.003, "unprotected": 0.99, "n": 400, "seed": 0}
    line |= {"seconds": 1.5, "given": names.reason, "excess": 0.009, "excess_ci": [0.001, 0.021]}
    ids = {"cipherset_id": of("export")[7:39], "manifest": of("export"), "key_id": key_id}
    finding = Finding(
        finding_id=of("export")[7:39],
        created="2026-01-01T00:00:00Z",
        bound=Bound(
            **ids,
            key_version=1,
            key_check="00" * 16,
            minimizer=of("minimizer"),
            encoder=of("encoder"),
            suite=suite_digest(),
        ),
        verdict=Verdict.WITHIN_LIMIT,
        reasons=(names.reason,),
        limit=0.05,
        n_star=400,
        n_star_noise_free=200,
        pairs_tested=2000,
        pair_curve=(),
        attacks=(line,),
        controls=({"name": "planted pairs", "value": 0.98, "expected": [0.9, 1], "holds": True},),
        proved={},
        clear_columns=(),
        not_run=("attackers with better public text",),
        seed=0,
        signer=signer_facts(workspace),
    )
    folder = workspace.home / "findings" / finding.finding_id
    folder.mkdir(parents=True)
    (folder / FINDING).write_bytes(signed(workspace, finding))
    (folder / REPORT).write_text("<!doctype html><title>report</title><style>p{color:red}</style>")


def crowd(home: Path, n: int) -> None:
    """``n`` more datasets, each classified and one in ten exported."""
    levels = ("public", "internal", "confidential", "restricted")

    def work(transaction: Transaction) -> None:
        for i in range(n):
            name = f"rows-{i:05}.parquet"
            asset = transaction.record_asset(
                of(f"crowd {i}"), actor="ivan", kind="dataset", name=name, attributes={}
            )
            label = _label(levels[i % 4], ["PII"] if i % 3 else [], ["internal"])
            run = transaction.start_run(
                "classify", actor="ivan", inputs=[asset.id], parameters={"label": label}
            )
            transaction.finish_run(run.id, status=RunStatus.DONE)

    with open_workspace(session_of(home)) as workspace:
        workspace.gate.ledger.transact(work)


@dataclass(frozen=True)
class Console:
    """A gateway's console, as its clients see it."""

    home: Path
    client: TestClient

    def get(self, path: str, who: str | None = "eve", **options):
        return self.client.get(path, headers=self.as_(who), follow_redirects=False, **options)

    def post(self, path: str, who: str = "eve", fields=None, headers=None, token=None):
        token = self.token(who) if token is None else token
        sent = {"form_token": token, **(fields or {})}
        return self.client.post(path, data=sent, headers={**self.as_(who), **(headers or {})})

    def token(self, who: str) -> str:
        return self.client.app.state.console.token_for(who)

    def as_(self, who: str | None) -> dict[str, str]:
        return BROWSER if who is None else {**BROWSER, WHO: who}

    def events(self, after: int = 0) -> list:
        with Ledger(f"sqlite:///{self.home / 'ledger.sqlite'}") as ledger:
            return list(ledger.events(after))


@contextmanager
def console(home: Path) -> Iterator[Console]:
    """The workspace in ``home``, served."""
    with hold(session_of(home)) as held:
        app = build_app(Services(held, Shown()))
        with TestClient(
            app,
            base_url="http://127.0.0.1",
            client=("127.0.0.1", 50_000),
            raise_server_exceptions=False,
        ) as client:
            yield Console(home, client)


@contextmanager
def listening(home: Path) -> Iterator[str]:
    """The same on a real socket, for a browser: its address."""
    with hold(session_of(home)) as held, listen("127.0.0.1", 0) as sock:
        app = build_app(Services(held, Shown()))
        ready = threading.Event()
        server = Server(app, Settled(DEFAULT_LIMITS, None, Reload((), ()), ready.set))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        try:
            assert ready.wait(60)
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive()


if __name__ == "__main__":  # to look at one: python console_samples.py HOME [N]
    team_with(Path(sys.argv[1]))
    if len(sys.argv) > 2:
        crowd(Path(sys.argv[1]), int(sys.argv[2]))
