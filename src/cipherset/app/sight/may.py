"""Whether somebody may do something at all, before they ask: so that a page leaves it out.

Nothing is done and nothing is written down. Who then does it is asked again, at the gate.
"""

from cipherset.app.gate import NOTHING, WORKSPACE, Action
from cipherset.app.gate.facts import gather
from cipherset.app.workspace import Workspace
from cipherset.custody.ledger import Transaction


def may(workspace: Workspace, action: Action) -> bool:
    """Whether the policies allow ``action`` on the workspace to the one who asks, as of now.

    Raises:
        BackendError: ``ledger_unreadable``.
    """
    gate = workspace.gate

    def judged(work: Transaction) -> bool:
        asked = gather(work, gate, action, WORKSPACE, NOTHING)
        is_proven = gate.who.unproven(asked.public_key) is None
        return is_proven and asked.policies.judge(asked.request).is_allowed

    return gate.ledger.look(judged)
