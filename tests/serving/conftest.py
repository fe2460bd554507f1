"""A workspace of one person, and what its ledger says of an export and its assessments."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from serving_samples import Key, Quiet

from cipherset.app.gate import Action
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.custody.ledger import Outcome, RunStatus


@pytest.fixture
def session(tmp_path) -> Session:
    return Session(tmp_path / "home", "ada", tmp_path / "cache", Quiet())


@pytest.fixture
def workspace(session) -> Iterator[Workspace]:
    with open_workspace(session) as found:
        yield found


@pytest.fixture
def export(workspace) -> Callable[..., str]:
    """Write down that an export was made under a key version."""

    def made(name: str = "tickets", key: Key = Key()) -> str:  # noqa: B008 -- frozen
        ledger, manifest = workspace.gate.ledger, canonical.digest(name)
        attributes = {"rows": 100}
        ledger.record_asset(manifest, actor="ada", kind="dataset", name=name, attributes=attributes)
        parameters = {"key_id": key.key_id, "key_version": key.version}
        run = ledger.start_run("protect", actor="ada", inputs=[], parameters=parameters)
        ledger.finish_run(run.id, status=RunStatus.DONE, outputs=[manifest])
        return manifest

    return made


@pytest.fixture
def assessed(workspace) -> Callable[..., None]:
    """Write down what an assessment got."""

    def told(manifest: str, **found: Any) -> None:
        body = {"pair_cap": None, "n_star": None, "n_star_noise_free": None, **found}
        workspace.gate.ledger.append(
            actor="rev",
            action=Action.ASSESS,
            subject="tickets",
            outcome=Outcome.DONE,
            body={"manifest": manifest, **body},
        )

    return told
