"""An owner whose steps are acts at its gate: each decided, paid for and written down, or not done.

The account is kept in the ledger of the owner's workspace, so it outlives the process:

- *rounds*, for one agreement and one export: each step that was sealed, also of a round that came
  to no sum. With ``agreement.releases`` of them all noise that was agreed on is used up.
- *epsilon*, of the source and of each row: the whole of ``agreement.guarantee`` with the first
  step, for whoever has begun may go on. Another agreement, or another export, pays anew.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cipherset.app.exports.private.head import debits_of
from cipherset.app.federated.agreement import Agreement
from cipherset.app.federated.owner import Contribution, Owner
from cipherset.app.gate import Act, Action, Fact, Moment
from cipherset.app.gate.subjects import about_cipherset
from cipherset.app.gateway import open_gateway
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import InputError
from cipherset.custody.ledger.budgets import MICRO_EPSILON, ROUNDS, Debit, spent
from cipherset.custody.ledger.exposure import RowDebit
from cipherset.pipeline.export import Cipherset, open_cipherset
from cipherset.pipeline.federated import Announcement, digest_of, public_of

_TRAIN = "train"


def enroll(
    session: Session, path: Path, name: str, identity: Ed25519PrivateKey, agreement: Agreement
) -> Owner:
    """The owner ``name`` of the training rows of a cipherset that was made in this workspace.

    Leaks: nothing yet; what its steps tell is paid for as they are sealed.

    Raises:
        IntegrityError: the cipherset was changed; ``signer``: it was made in another workspace.
        InputError: ``round_member``: the agreement has no such member, or another key of it;
            ``no_label``; ``unknown_class``; ``round_values``.
        DimensionError: ``dimension``.
        BackendError: the ledger cannot be read.
    """
    if agreement.roster.get(name) != public_of(identity):
        raise InputError(
            f"the agreement has no member {name!r} with the public key of this identity",
            code="round_member",
            hint="take the name and the key that the others were given",
        )
    with open_workspace(session) as workspace:
        cipherset = open_cipherset(path, signer=workspace.fingerprint)
    x, labels = cipherset.to_numpy(_TRAIN)
    rows = Contribution(x, [str(label) for label in labels.tolist()])
    account = Recorded(session, path, cipherset, agreement)
    return Owner(name, identity, rows, agreement, account=account)


class Recorded:
    """The account in the ledger; the gate is asked for each step."""

    def __init__(
        self, session: Session, path: Path, cipherset: Cipherset, agreement: Agreement
    ) -> None:
        self._session, self._cipherset, self._agreement = session, cipherset, agreement
        self._about = about_cipherset(cipherset, path)
        self._scope = canonical.digest(
            {"agreement": agreement.digest, "cipherset": cipherset.manifest_digest}
        )

    def left(self) -> int:
        """How many steps may still be sealed, by the ledger.

        Raises:
            BackendError: the ledger cannot be read.
        """
        with open_workspace(self._session) as workspace:
            return max(self._agreement.releases - self._sealed(workspace), 0)

    @contextmanager
    def paying(self, round_id: bytes, announced: Sequence[Announcement]) -> Iterator[None]:
        """The act of one step: its intent and its cost are written before, its outcome after.

        Raises:
            PolicyError: ``not_allowed``; ``budget``: the rounds or the epsilon are spent.
            KeyAccessError, IntegrityError: what the first step pays with is not here.
            BackendError: it cannot be written.
        """
        moment = Moment(purpose=self._agreement.purpose)
        facts = self._facts(round_id, announced)
        with (
            open_workspace(self._session) as workspace,
            workspace.gate.act(
                Action.TRAIN_TOGETHER, self._about.name, facts, about=self._about, moment=moment
            ) as act,
        ):
            self._pay(workspace, act)
            yield

    def _facts(self, round_id: bytes, announced: Sequence[Announcement]) -> dict[str, Fact]:
        agreement, kept = self._agreement, self._agreement.guarantee
        return {
            "agreement": agreement.digest,
            "cipherset_id": self._cipherset.manifest.cipherset_id,
            "round": round_id.hex(),
            "members": len(announced),
            "announced": digest_of(announced).hex(),
            "honest": agreement.honest,
            "epsilon": None if kept is None else kept.epsilon,
            "delta": None if kept is None else kept.delta,
            "purpose": agreement.purpose,
        }

    def _pay(self, workspace: Workspace, act: Act) -> None:
        """One round, and with the first one the epsilon: both, or neither.

        Of two that are the first at once each pays the epsilon.
        """
        before, kept = self._sealed(workspace), self._agreement.guarantee
        debits = [Debit(ROUNDS, self._scope, 1, self._agreement.releases)]
        of_rows: tuple[RowDebit, ...] = ()
        if before == 0 and kept is not None:
            manifest = self._cipherset.manifest
            gateway = open_gateway(workspace, manifest.cipherset_id, manifest)
            debit, each = debits_of(workspace, gateway, self._about.id, kept)
            debits, of_rows = [*debits, debit], (each,)
        act.spend(*debits, of_rows=of_rows)
        act.facts["steps_sealed"] = before + 1
        act.facts["epsilon_spent"] = sum(one.amount for one in debits[1:]) / MICRO_EPSILON

    def _sealed(self, workspace: Workspace) -> int:
        return workspace.gate.ledger.transact(lambda work: spent(work, ROUNDS, self._scope))
