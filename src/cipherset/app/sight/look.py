"""To look is an act too: each view passes the gate, and is written down."""

from collections.abc import Iterator
from contextlib import contextmanager

from cipherset.app.gate import Act, Action
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import UsageError


def check_here(workspace: Workspace) -> None:
    """Nothing, where who asks is on this machine: from afar an asset is named by its id alone.

    Raises:
        UsageError: ``asset_named``: a path would be one of this machine.
    """
    if workspace.gate.who.network is not None:
        raise UsageError(
            "there is no asset of this id",
            code="asset_named",
            hint="take the id from a list of assets",
        )


@contextmanager
def looked(session: Session, what: str) -> Iterator[tuple[Workspace, Act]]:
    """The workspace, while a look at ``what`` of it is under way.

    Raises:
        PolicyError: ``not_allowed``.
        BackendError: the look cannot be written down: then there is none.
    """
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.VIEW, what, {}) as act,
    ):
        yield workspace, act
