"""The relay of a workspace: from a request to what may be asked upstream, for one caller.

In this order: the gate; is the service there, approved, and the model one of its; what was
retrieved, each data set asked of the gate; the guard of prompts; the credential. The caller's own
token has been looked at by then, and goes no further.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from cipherset.app.gate import Act, Action, Fact
from cipherset.app.gate.about import About
from cipherset.app.serving.relay import registry
from cipherset.app.serving.relay.budget import TokenBudget
from cipherset.app.serving.relay.guards import Guards, KeptGuards
from cipherset.app.serving.relay.protocol.asked import Asked, filled
from cipherset.app.serving.relay.registry import Kept
from cipherset.app.serving.relay.reply import Guard
from cipherset.app.serving.relay.services import credential, standing
from cipherset.app.serving.relay.turn import Record, Turn
from cipherset.app.serving.relay.wire.upstream import Question
from cipherset.app.serving.retrieval.retrieve import KnownLists, RetrieveRequest, retrieve
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import PolicyError
from cipherset.custody.keys import TextDigests
from cipherset.custody.policy import Kind, Standing
from cipherset.guard.prompts import Conversation, Guarded, Part, Role, guard_prompt
from cipherset.guard.retrieval import Context

_NO_SERVICE = "no such service"


@dataclass(slots=True)
class Relay:
    """Shared by all requests; ``guards`` are the owner's."""

    guards: KeptGuards
    known: KnownLists = field(default_factory=KnownLists)

    def admit(self, session: Session, asked: Asked) -> Turn:
        """What of ``asked`` may go to its service; whoever gets it ends it.

        Leaks: to the service, what no detector finds in the texts.

        Raises:
            UsageError: ``service_unknown``.
            PolicyError: ``not_allowed``, ``budget``, ``service_unapproved``, ``model_unlisted``,
                ``prompt_blocked``.
            InputError: ``prompt_parts``, ``prompt_length``, ``prompt_depth``.
            IntegrityError, BackendError: what guards is not there, or changed.
        """
        guards = self.guards.get()
        with ExitStack() as stack:
            workspace = stack.enter_context(open_workspace(session))
            kept = registry.find(workspace.home, asked.service)
            budget = _budget(workspace, kept, asked)
            record = Record(
                workspace,
                _asking(stack, workspace, kept, asked, budget),
                budget,
                TextDigests(workspace.ring.signer()),
            )
            address = _allowed(workspace, kept, asked)
            record.act.facts["model"] = asked.model
            context = self._retrieved(session, guards, asked, record.act)
            guarded = _guarded(guards, asked, context)
            record.ask(asked, guarded.findings)
            body = _body(asked, guarded)
            question = Question(
                address.address.name,
                address.address.url + asked.path,
                credential(workspace, address),
                body,
            )
            guard = Guard(guards.outputs, asked.sent, context.label, guarded.vault)
            warnings = tuple(sorted({one.kind for one in guarded.warnings}))
            return Turn(asked, question, guard, warnings, record, stack.pop_all())

    def models(self, session: Session) -> list[str]:
        """What may be asked, each as SERVICE/MODEL: the models of approved services.

        Raises:
            PolicyError: ``not_allowed``.
        """
        with (
            open_workspace(session) as workspace,
            workspace.gate.act(Action.VIEW, "models", {"what": "models"}),
        ):
            return [
                f"{kept.address.name}/{model}"
                for kept in registry.all_kept(workspace.home)
                if standing(workspace, kept.address) is Standing.APPROVED
                for model in kept.address.models
            ]

    def _retrieved(self, session: Session, guards: Guards, asked: Asked, act: Act) -> Context:
        wanted = asked.wanted
        if not wanted.references:
            return Context()
        request = RetrieveRequest(wanted.references, wanted.purpose)
        found = retrieve(session, request, guards.speaks, self.known)
        act.facts["retrieved"] = len(found.parts)
        if found.label is not None:
            act.facts["label"] = found.label.level.value
        return found


def _budget(workspace: Workspace, kept: Kept | None, asked: Asked) -> TokenBudget:
    n = sum(len(part.text) for part in asked.texts.parts)
    return TokenBudget.of(workspace, _about(kept).id, n)


def _asking(
    stack: ExitStack,
    workspace: Workspace,
    kept: Kept | None,
    asked: Asked,
    budget: TokenBudget,
) -> Act:
    """The act; a service that is not there goes through the same door."""
    about = _about(kept)
    facts: dict[str, Fact] = {
        "path": asked.path,
        "messages": len(asked.texts.parts),
        "tokens_estimated": budget.estimate,
        "stream": asked.is_stream,
    }
    moment = budget.moment(len(asked.texts.parts), asked.wanted.purpose or None)
    act = workspace.gate.act(Action.QUERY, about.name, facts, about=about, moment=moment)
    return stack.enter_context(act)


def _about(kept: Kept | None) -> About:
    if kept is not None:
        return kept.address.about
    return About(Kind.SERVICE, canonical.digest({"service": None}), _NO_SERVICE)


def _allowed(workspace: Workspace, kept: Kept | None, asked: Asked) -> Kept:
    """The service, where it is approved and has the model."""
    if kept is None:
        raise registry.unknown(asked.service)
    name, stands = kept.address.name, standing(workspace, kept.address)
    if stands is not Standing.APPROVED:
        raise PolicyError(
            f"the service {name} is {stands}: only what is approved is asked",
            code="service_unapproved",
            hint=f"under a grant for it: cipherset asset approve service:{name}",
        )
    if asked.model not in kept.address.models:
        raise PolicyError(
            f"the service {name} is not approved for that model",
            code="model_unlisted",
            hint="see which it is for: cipherset service list; for others, add it anew",
        )
    return kept


def _guarded(guards: Guards, asked: Asked, context: Context) -> Guarded:
    retrieved = [Part(Role.RETRIEVED, part.text) for part in context.parts]
    conversation = Conversation((*asked.texts.parts, *retrieved))
    return guard_prompt(conversation, guards.detectors, guards.classifier, guards.rules.prompts)


def _body(asked: Asked, guarded: Guarded) -> Mapping[str, Any]:
    """The body for the service, of what was let through."""
    parts: Sequence[Part] = guarded.conversation.parts
    n = len(asked.texts.parts)
    body: dict[str, Any] = filled(asked.template, parts[:n])
    asked.with_context(body, guarded.notice, [part.text for part in parts[n:]])
    return body
