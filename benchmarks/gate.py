"""How many acts a second the gate decides and writes down, beside bare appends to its ledger.

Usage: python benchmarks/gate.py [--seconds 3] [--threads 16]

An act is a whole one: the principal, the policies of the team, the asset with its runs and label,
the grants, a budget's debit and the intent in one transaction, then the outcome in another. A bare
pair is two appends of the same events and nothing else. Both on SQLite, every commit synced, by as
many threads, in turn in one run: only their ratio means something on another machine.
"""

import tempfile
import threading
import time
from pathlib import Path
from statistics import median

from tables import MADE_UP, Table, arguments, hand_over

from cipherset.app.access.init import init
from cipherset.app.access.principals import Change, add
from cipherset.app.gate import About, Action, Gate, Moment
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.custody.ledger import Outcome
from cipherset.custody.ledger.budgets import QUERIES, Debit
from cipherset.custody.policy import BuiltIn, Kind
from cipherset.interfaces.cli.output import TerminalProgress

ROUNDS = 3


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=16)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        session = Session(home, "root", home, TerminalProgress())
        init(session, BuiltIn.TEAM)
        add(session, Change("ada", ("data-owner",)))
        owner = Session(home, "ada", home, TerminalProgress())
        with open_workspace(owner) as workspace:
            about = known_dataset(workspace)
            rates: dict[str, list[float]] = {"act": [], "bare": []}
            for _ in range(ROUNDS):
                rates["bare"].append(measured(workspace, bare, about, asked))
                rates["act"].append(measured(workspace, act, about, asked))
    whole, least = median(rates["act"]), median(rates["bare"])
    rows = (
        ("bare pairs of appends", f"{least:,.0f}", "1.00"),
        ("acts through the gate", f"{whole:,.0f}", f"{whole / least:.2f}"),
    )
    title = f"Acts a second, {asked.threads} threads, SQLite, every commit synced"
    table = Table("gate/acts", title, ("", "a second", "of bare"), rows, (MADE_UP,))
    hand_over([table], asked.tables)


def known_dataset(workspace: Workspace) -> About:
    """A dataset that was recorded, as far as the gate looks at it."""
    digest = canonical.digest_bytes(b"rows")
    workspace.gate.ledger.record_asset(
        digest, actor="ada", kind="dataset", name="rows.csv", attributes={}
    )
    return About(Kind.DATASET, digest, "rows.csv")


def act(workspace: Workspace, gate: Gate, about: About) -> None:
    """One act that is allowed."""
    moment = Moment(rows=1, debits=(Debit(QUERIES, about.id, 1, None),))
    with gate.act(Action.SCAN, about.name, {"rows": 1}, about=about, moment=moment):
        pass


def bare(workspace: Workspace, gate: Gate, about: About) -> None:
    """Its two events, undecided."""
    for outcome in (Outcome.INTENDED, Outcome.DONE):
        workspace.gate.ledger.append(
            actor="ada", action="scan", subject=about.name, outcome=outcome, body={"rows": 1}
        )


def measured(workspace: Workspace, step, about: About, asked) -> float:  # noqa: ANN001
    """How many steps a second all threads make together."""
    ends = time.monotonic() + asked.seconds
    done = [0] * asked.threads

    def work(index: int) -> None:
        gate = Gate(
            workspace.gate.ledger,
            workspace.gate.who,
            workspace.gate.environment,
            signer_key=workspace.gate.signer_key,
            policies=workspace.gate.kept,
        )
        while time.monotonic() < ends:
            step(workspace, gate, about)
            done[index] += 1

    threads = [threading.Thread(target=work, args=(i,)) for i in range(asked.threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / asked.seconds


if __name__ == "__main__":
    main()
