"""A lineage as OpenLineage events: a START for each run, and how it ended.

Keys, encoders, models and deployments are data sets there, for it knows no others; our facet says
what each is. The schema of our facets is ``openlineage.json`` beside this module: its address is a
name, and nothing is fetched.

Source: OpenLineage 2-0-2, https://openlineage.io/spec/2-0-2/OpenLineage.json.
"""

import uuid
from collections.abc import Iterator
from typing import Any, Final

from cipherset.evidence.views.lineage.links import Node, Passage
from cipherset.evidence.views.lineage.trace import Lineage

Json = dict[str, Any]
SCHEMA: Final = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
RUN_FACET: Final = "urn:cipherset:openlineage:1#/$defs/RunFacet"
DATASET_FACET: Final = "urn:cipherset:openlineage:1#/$defs/DatasetFacet"
_JOB_TYPE: Final = "https://openlineage.io/spec/facets/2-0-4/JobTypeJobFacet.json"
_FACET: Final = "cipherset"
# What the run was of the version of RFC 9562 that hashes a name.
_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:cipherset:run")


def openlineage(lineage: Lineage, *, namespace: str, producer: str) -> list[Json]:
    """The events of a lineage's runs, in the order of time.

    Args:
        lineage: What is told.
        namespace: Of its jobs and data sets: a workspace.
        producer: A URI of the software that says so.
    """
    nodes = {each.id: each for each in (*lineage.nodes, *lineage.beside)}
    teller = _Teller(nodes, namespace, producer)
    found = [event for run in lineage.runs for event in teller.events(run)]
    return sorted(found, key=lambda event: event["eventTime"])


def run_uuid(run_id: str) -> str:
    """The UUID that stands for a run, the same each time."""
    return str(uuid.uuid5(_NAMESPACE, run_id))


class _Teller:
    def __init__(self, nodes: dict[str, Node], namespace: str, producer: str) -> None:
        self._nodes = nodes
        self._namespace = namespace
        self._producer = producer

    def events(self, passage: Passage) -> Iterator[Json]:
        """How the run began and, if it did, how it ended."""
        step = passage.step
        inputs = [self._dataset(each) for each in passage.inputs]
        outputs = [self._dataset(each) for each in passage.outputs]
        yield self._event("START", step.started, passage, (inputs, []))
        if step.finished is not None:
            yield self._event("COMPLETE", step.finished, passage, (inputs, outputs))

    def _event(
        self, kind: str, time: str, passage: Passage, ends: tuple[list[Json], list[Json]]
    ) -> Json:
        facet = self._facet(
            RUN_FACET,
            {
                "run": passage.step.id,
                "actor": passage.step.actor,
                "code": passage.code,
                "parameters": dict(passage.facts),
            },
        )
        job_type = {"processingType": "BATCH", "integration": "CIPHERSET", "jobType": "RUN"}
        return {
            "eventType": kind,
            "eventTime": time,
            "producer": self._producer,
            "schemaURL": SCHEMA,
            "run": {"runId": run_uuid(passage.step.id), "facets": {_FACET: facet}},
            "job": {
                "namespace": self._namespace,
                "name": passage.step.kind,
                "facets": {"jobType": self._facet(f"{_JOB_TYPE}#/$defs/JobTypeJobFacet", job_type)},
            },
            "inputs": ends[0],
            "outputs": ends[1],
        }

    def _dataset(self, asset: str) -> Json:
        node = self._nodes[asset]
        told = {"kind": node.kind, "name": node.name, "label": node.label, "status": node.status}
        facets = {_FACET: self._facet(DATASET_FACET, told)}
        return {"namespace": self._namespace, "name": asset, "facets": facets}

    def _facet(self, schema: str, told: Json) -> Json:
        known = {name: value for name, value in told.items() if value is not None}
        return {"_producer": self._producer, "_schemaURL": schema, **known}
