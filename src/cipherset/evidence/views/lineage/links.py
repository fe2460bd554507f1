"""The runs of a picture with everything that took part as an asset of its own, and who made what.

Beside what the ledger lists as a run's inputs and outputs, the version of the key and the encoder
that it used are inputs, and a deployment or a finding is an output. Each has an id:

    sha256:…            a version of a key, as the gate knows it; an encoder, by its weights
    deployment:NAME     what is served by that name now; with #RUN, what was before
    finding:ID          what an assessment wrote down
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from cipherset.core import canonical
from cipherset.evidence.views.picture import DONE, Key, Picture, Step, Thing

KEY: Final = "key"
ENCODER: Final = "encoder"
DEPLOYMENT: Final = "deployment"
FINDING: Final = "finding"
DEPLOY: Final = "deploy"
ASSESS: Final = "assess"
BROUGHT: Final = "brought"
# What of a run's parameters and of what it made is shown and handed on: nothing that people wrote.
SHOWN: Final = (
    *("key_id", "key_version", "scheme", "approximation_factor", "noise", "epsilon", "delta"),
    *("dim", "encoder", "encoder_digest", "minimizer", "minimizer_digest"),
    *("rows", "train_rows", "test_rows", "settings", "rules", "filters", "sanitizer", "canaries"),
    *("model", "onnx", "at_gate", "packages", "cipherset_id", "index_id"),
    *("finding", "full", "suite"),
)
CODE: Final = "code"
_RESTRICTED: Final = "restricted"  # nothing is known of it
_LABELED: Final = ("dataset", "model")
_DIGEST: Final = re.compile(r"[a-z0-9-]{1,20}:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Node:
    """An asset of a lineage.

    ``kind`` is a thing's, or encoder, deployment or finding. ``by_run`` is the run that made it
    last, None where none here did. ``label`` and ``status`` are None where such a thing has none.
    """

    id: str
    kind: str
    name: str
    label: str | None = None
    status: str | None = None
    by_run: str | None = None
    is_stale: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """One of the command's ``upstream`` or ``downstream``."""
        return {
            "id": self.id,
            "kind": self.kind,
            "name": self.name,
            "label": self.label,
            "status": self.status,
            "by_run": self.by_run,
            "stale": self.is_stale,
        }


@dataclass(frozen=True, slots=True)
class Passage:
    """A run with all that went in and came out; ``position`` is its place in time, from 0.

    ``facts`` are what it was asked for and what became of it, by the names of ``SHOWN``.
    """

    step: Step
    position: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    facts: Mapping[str, Any]

    @property
    def code(self) -> str | None:
        """The digest of the code that ran; None where it ran elsewhere, or nobody wrote it down."""
        found = self.step.parameters.get(CODE)
        return None if found is None else str(found)

    def as_json(self) -> dict[str, Any]:
        """One of the command's ``runs``."""
        return {
            "id": self.step.id,
            "kind": self.step.kind,
            "actor": self.step.actor,
            "started": self.step.started,
            "finished": self.step.finished,
            "code": self.code,
            "inputs": list(self.inputs),
            "outputs": list(self.outputs),
            "parameters": dict(self.facts),
        }


@dataclass(frozen=True, slots=True)
class Links:
    """All passages, the oldest first, and by asset those that made it and those that read it."""

    nodes: Mapping[str, Node]
    passages: tuple[Passage, ...]
    makers: Mapping[str, tuple[Passage, ...]]
    readers: Mapping[str, tuple[Passage, ...]]

    def key_versions(self, asset: str) -> tuple[str, ...]:
        """The asset, and if it is a version of a key, the other versions of that key."""
        node = self.nodes.get(asset)
        if node is None or node.kind != KEY:
            return (asset,)
        key_id = node.facts["key_id"]
        others = (
            each.id
            for each in self.nodes.values()
            if each.kind == KEY and each.facts.get("key_id") == key_id
        )
        return (asset, *(other for other in others if other != asset))


def links(picture: Picture) -> Links:
    """The links of everything in the picture; linear in its runs and assets."""
    steps = [each for each in picture.steps if each.status == DONE and _makes(each)]
    served = {each.parameters.get("name"): each.id for each in steps if each.kind == DEPLOY}
    passages, nodes = [], dict(_known(picture))
    versions = {(each.key_id, each.version): each.id for each in picture.keys}
    for position, step in enumerate(steps):
        facts = _facts(step, picture.things)
        used = [*_key_used(step, facts, versions, nodes), *_encoder_used(facts, nodes)]
        also = list(_made_beside(step, served))
        nodes.update((each.id, each) for each in also)
        inputs = (*step.inputs, *used)
        outputs = (*step.outputs, *(each.id for each in also))
        passages.append(Passage(step, position, inputs, outputs, facts))
    makers, readers = _by_asset(passages)
    for asset, made in makers.items():
        node = nodes.get(asset) or Node(asset, "unknown", asset)
        nodes[asset] = replace(node, by_run=made[-1].step.id)
    return Links(nodes, tuple(passages), makers, readers)


def _makes(step: Step) -> bool:
    return bool(step.outputs) or step.kind in {DEPLOY, ASSESS}


def _known(picture: Picture) -> Iterator[tuple[str, Node]]:
    keys = {each.id: each for each in picture.keys}
    for thing in picture.things.values():
        yield thing.id, _node(thing, keys.get(thing.id))


def _node(thing: Thing, key: Key | None) -> Node:
    label = None
    if thing.kind in _LABELED:
        label = _RESTRICTED if thing.label is None else thing.label.level.value
    status, facts = thing.standing, thing.attributes
    if key is not None:
        facts = {"key_id": key.key_id, "key_version": key.version}
        if status == "proposed":  # nobody said anything of it but its custodian
            status = key.status
    return Node(thing.id, thing.kind, thing.name, label, status, None, thing.is_stale, facts)


def _facts(step: Step, things: Mapping[str, Thing]) -> dict[str, Any]:
    """What was asked for, and what the first of its outputs says it became."""
    made = things.get(step.outputs[0]) if step.outputs else None
    told = {**({} if made is None else made.attributes), **step.parameters}
    return {name: told[name] for name in SHOWN if told.get(name) is not None}


def _key_used(
    step: Step,
    facts: Mapping[str, Any],
    versions: Mapping[tuple[Any, Any], str],
    nodes: dict[str, Node],
) -> Iterator[str]:
    """The version of the key that the run opened; a model that was brought opened none here."""
    if "key_id" not in facts or BROUGHT in step.parameters:
        return
    named = facts["key_id"], facts.get("key_version", 1)
    known = versions.get(named) or canonical.digest({"key_id": named[0], "version": named[1]})
    if known not in nodes:  # its key is not in this ring any more
        told = {"key_id": named[0], "key_version": named[1]}
        nodes[known] = Node(known, KEY, named[0], status="unknown", facts=told)
    yield known


def _encoder_used(facts: Mapping[str, Any], nodes: dict[str, Node]) -> Iterator[str]:
    digest = str(facts.get("encoder_digest", ""))
    if _DIGEST.fullmatch(digest):
        nodes.setdefault(digest, Node(digest, ENCODER, str(facts.get("encoder", digest))))
        yield digest


def _made_beside(step: Step, served: Mapping[Any, str]) -> Iterator[Node]:
    """What a run made that is no asset of the ledger."""
    if step.kind == DEPLOY:
        name = str(step.parameters.get("name"))
        if served.get(name) == step.id:
            yield Node(f"{DEPLOYMENT}:{name}", DEPLOYMENT, name, status="served")
        else:
            yield Node(f"{DEPLOYMENT}:{name}#{step.id}", DEPLOYMENT, name, status="replaced")
    elif step.kind == ASSESS and "finding" in step.parameters:
        found = str(step.parameters["finding"])
        yield Node(f"{FINDING}:{found}", FINDING, found, status="signed")


def _by_asset(
    passages: list[Passage],
) -> tuple[dict[str, tuple[Passage, ...]], dict[str, tuple[Passage, ...]]]:
    makers: dict[str, list[Passage]] = {}
    readers: dict[str, list[Passage]] = {}
    for passage in passages:
        for found, ids in ((makers, passage.outputs), (readers, passage.inputs)):
            for each in dict.fromkeys(ids):
                found.setdefault(each, []).append(passage)
    return _fixed(makers), _fixed(readers)


def _fixed(found: Mapping[str, list[Passage]]) -> dict[str, tuple[Passage, ...]]:
    return {asset: tuple(passages) for asset, passages in found.items()}
