"""The people of the demo, and what they asked for, told and were refused."""

from contextlib import suppress
from dataclasses import replace
from typing import Final

from cipherset.app.access import grants
from cipherset.app.access.grants import Wish
from cipherset.app.access.init import init
from cipherset.app.access.principals import Change, add
from cipherset.app.audit.newest import newest
from cipherset.app.audit.show import Wanted
from cipherset.app.discovery.answers import Answer, register_all
from cipherset.app.workspace import Session
from cipherset.core.errors import PolicyError
from cipherset.custody.policy import Action, BuiltIn, Role, VoteKind

# One person for each piece of the work; nobody could undo the protection alone.
TEAM: Final = {
    "ada": Role.DATA_OWNER,
    "kim": Role.KEY_CUSTODIAN,
    "ivan": Role.INGESTER,
    "sam": Role.SCIENTIST,
    "dee": Role.DEPLOYER,
    "rita": Role.REVIEWER,
    "eve": Role.AUDITOR,
}
AUDITOR: Final = "eve"
PURPOSE: Final = "ticket routing"
_TOLD: Final = (
    Answer(
        name="Meeting notes",
        vendor="",
        purpose="minutes of meetings",
        owner="sales",
        data=("speech of customers",),
        endpoints=("https://notes.example",),
        people=12,
    ),
    Answer(name="Draft replies", purpose="answers to tickets", owner="support", people=7),
)


def gather_team(session: Session) -> None:
    """Let the policies of a team hold, and add its people."""
    init(session, BuiltIn.TEAM)
    for name, role in TEAM.items():
        add(session, Change(name, (role.value,)))


def work_together(session: Session, export: str, model: str) -> None:
    """Requests that wait, one that was denied, a refusal, and what no scan would see."""
    sam, dee = replace(session, actor="sam"), replace(session, actor="dee")
    grants.request(dee, Wish(Action.DEPLOY, (model,), PURPOSE, note="for the pilot of March"))
    grants.request(sam, Wish(Action.TRAIN_AT_GATE, (export,), PURPOSE))
    late = grants.request(sam, Wish(Action.DETOKENIZE, ("key:support",), "to see some names"))
    owner = replace(session, actor="ada")
    grants.vote(owner, late.request.id, VoteKind.DENY, "routing needs no names")
    register_all(replace(session, actor=AUDITOR), _TOLD)
    with suppress(PolicyError):  # a scientist may not: it is to be seen that they asked
        newest(sam, Wanted(), before=None, most=1)
