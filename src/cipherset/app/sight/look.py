"""To look is an act too: each view passes the gate, and is written down."""

from collections.abc import Iterator
from contextlib import contextmanager

from cipherset.app.gate import Act, Action
from cipherset.app.workspace import Session, Workspace, open_workspace


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
