"""What is exported is accepted by the tools it is for: OpenLineage's client, and W3C PROV."""

import json
import logging

import pytest
import sight_lineage

from cipherset.app.sight.lineage.documents import Form, write_lineage

pytestmark = pytest.mark.extra


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return sight_lineage.made(tmp_path_factory.mktemp("lineage"))


def written(made, form):
    return write_lineage(made.session, "key:support", form, None, overwrite=False)


def _facets(told, kinds):
    """Facets as the client's own values; ours are of a class that it does not know."""
    return {
        name: kinds[name](**{k: v for k, v in facet.items() if k[0] != "_"})
        for name, facet in told.items()
    }


def _typed(event):
    """One of our events as the client has it, field by field."""
    import attr
    from openlineage.client import event_v2
    from openlineage.client.facet_v2 import job_type_job
    from openlineage.client.generated.base import DatasetFacet, RunFacet

    run_schema = event["run"]["facets"]["cipherset"]["_schemaURL"]

    @attr.define
    class OurRun(RunFacet):
        run: str
        actor: str
        parameters: dict
        code: str | None = None

        @staticmethod
        def _get_schema() -> str:
            return run_schema

    @attr.define
    class OurDataset(DatasetFacet):
        kind: str
        name: str
        label: str | None = None
        status: str | None = None

        @staticmethod
        def _get_schema() -> str:
            return run_schema.replace("RunFacet", "DatasetFacet")

    def dataset(made_as, each):
        return made_as(
            each["namespace"],
            each["name"],
            facets=_facets(each["facets"], {"cipherset": OurDataset}),
        )

    job = event["job"]
    job_facets = _facets(job["facets"], {"jobType": job_type_job.JobTypeJobFacet})
    return event_v2.RunEvent(
        eventType=event_v2.RunState[event["eventType"]],
        eventTime=event["eventTime"],
        producer=event["producer"],
        run=event_v2.Run(
            event["run"]["runId"], facets=_facets(event["run"]["facets"], {"cipherset": OurRun})
        ),
        job=event_v2.Job(job["namespace"], job["name"], facets=job_facets),
        inputs=[dataset(event_v2.InputDataset, each) for each in event["inputs"]],
        outputs=[dataset(event_v2.OutputDataset, each) for each in event["outputs"]],
    )


def _without_empty(value):
    """The client writes empty maps of facets where there are none."""
    if isinstance(value, dict):
        known = {name: _without_empty(each) for name, each in value.items()}
        return {name: each for name, each in known.items() if each not in ({}, [])}
    return [_without_empty(each) for each in value] if isinstance(value, list) else value


def test_openlineages_client_emits_what_we_wrote(made, tmp_path, monkeypatch):
    from openlineage.client import OpenLineageClient, set_producer
    from openlineage.client.transport.file import FileConfig, FileTransport

    monkeypatch.chdir(tmp_path)
    logging.getLogger("openlineage").setLevel(logging.ERROR)
    told = list(written(made, Form.OPENLINEAGE).parts)
    set_producer(told[0]["producer"])
    transport = FileTransport(FileConfig(str(tmp_path / "events.json"), append=True))
    client = OpenLineageClient(transport=transport)
    for event in told:
        client.emit(_typed(event))
    lines = (tmp_path / "events.json").read_text(encoding="utf-8").splitlines()
    emitted = [json.loads(line) for line in lines]
    for event in emitted:
        event["run"]["facets"].pop("tags")  # the client's own version
    assert [_without_empty(each) for each in emitted] == [_without_empty(each) for each in told]


def test_prov_reads_what_we_wrote_and_writes_the_same(made):
    from prov.model import ProvDocument

    text = written(made, Form.PROV).text
    document = ProvDocument.deserialize(content=text, format="json")
    again = ProvDocument.deserialize(content=document.serialize(format="json"), format="json")
    assert document == again
    told = json.loads(text)
    records = sum(len(each) for name, each in told.items() if name != "prefix")
    assert len(list(document.get_records())) == records
    names = {str(each.identifier) for each in document.get_records() if each.identifier}
    assert set(told["entity"]) | set(told["activity"]) | set(told["agent"]) <= names
    assert "wasGeneratedBy" in document.get_provn()
