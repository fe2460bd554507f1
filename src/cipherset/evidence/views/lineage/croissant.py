"""A cipherset described in Croissant 1.1, so that tools for data sets find its files and columns.

What nobody told us is left out: license, creator and the address where it is published are its
owner's to add. Beside Croissant's own properties stand PROV-O's, for what it was made of.

Source: MLCommons Croissant 1.1, https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html.
"""

from collections.abc import Mapping
from typing import Any, Final

from cipherset.core.manifest import VECTOR, Manifest, SplitFacts, Task
from cipherset.core.values import LABEL, ROW
from cipherset.evidence.views.lineage.trace import Lineage

Json = dict[str, Any]
CONFORMS_TO: Final = "http://mlcommons.org/croissant/1.1"
PARQUET: Final = "application/x-parquet"
TEXT: Final = "sc:Text"
_NUMBER: Final = "sc:Float"
_TERMS: Final = (
    *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field"),
    *("fileProperty", "fileObject", "fileSet", "format", "includes", "isArray", "isLiveDataset"),
    *("jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex"),
    *("repeated", "replace", "samplingRate", "separator", "source", "subField", "transform"),
)
_CONTEXT: Final[Json] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "description": {"@container": "@language"},
    **{term: f"cr:{term}" for term in _TERMS},
}


def croissant(
    manifest: Manifest, lineage: Lineage, *, folder: str, clear_types: Mapping[str, str]
) -> Json:
    """The JSON-LD of a cipherset.

    Args:
        manifest: What it says of itself.
        lineage: Its lineage, for what it was made of and by which run.
        folder: Its name; addresses of files are relative to what it is in.
        clear_types: The Croissant type of each clear column, such as ``sc:Text``.
    """
    splits = {"train": manifest.splits.train, "test": manifest.splits.test}
    there = {name: facts for name, facts in splits.items() if facts.files}
    made = [run for run in lineage.runs if lineage.asset.id in run.outputs]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "@id": lineage.asset.id,
        "conformsTo": CONFORMS_TO,
        "name": f"cipherset {manifest.cipherset_id}",
        "description": _description(manifest),
        "dateCreated": manifest.created,
        "version": "1.0.0",
        "identifier": lineage.asset.id,
        "distribution": [
            *(each for facts in there.values() for each in _files(folder, facts)),
            *(_file_set(folder, name) for name in there),
        ],
        "recordSet": [_records(name, manifest, clear_types) for name in there],
        "prov:wasDerivedFrom": [
            {"@id": source} for run in made for source in dict.fromkeys(run.inputs)
        ],
        "prov:wasGeneratedBy": [
            {
                "@id": run.step.id,
                "@type": "prov:Activity",
                "prov:startedAtTime": run.step.started,
                "prov:endedAtTime": run.step.finished,
            }
            for run in made
        ],
    }


def _description(manifest: Manifest) -> str:
    n_rows = manifest.splits.train.rows + manifest.splits.test.rows
    return (
        f"{n_rows} rows of {manifest.dim} numbers each, encrypted with {manifest.scheme} after "
        f"{manifest.minimizer}; for the purpose of key {manifest.key_id}, and of no use for another"
    )


def _files(folder: str, facts: SplitFacts) -> list[Json]:
    return [
        {
            "@type": "cr:FileObject",
            "@id": part.path,
            "name": part.path,
            "contentUrl": f"{folder}/{part.path}",
            "contentSize": f"{part.bytes} B",
            "encodingFormat": PARQUET,
            "sha256": part.sha256.removeprefix("sha256:"),
        }
        for part in facts.files
    ]


def _file_set(folder: str, split: str) -> Json:
    return {
        "@type": "cr:FileSet",
        "@id": f"{split}-files",
        "name": f"{split}-files",
        "encodingFormat": PARQUET,
        "includes": f"{folder}/{split}/*.parquet",
    }


def _records(split: str, manifest: Manifest, clear_types: Mapping[str, str]) -> Json:
    fields = [_field(split, ROW, TEXT), _vector(split, manifest.dim)]
    if manifest.task is not None:
        kind = TEXT if manifest.task.has_names else _NUMBER
        several = {"isArray": True, "arrayShape": "-1"} if manifest.task is Task.MULTILABEL else {}
        fields.append(_field(split, LABEL, kind) | several)
    for name in manifest.clear_columns:
        fields.append(_field(split, name, clear_types.get(name, TEXT)))
    return {"@type": "cr:RecordSet", "@id": split, "name": split, "field": fields}


def _vector(split: str, dim: int) -> Json:
    shape = {"isArray": True, "arrayShape": str(dim)}
    return _field(split, VECTOR, "cr:Float32") | shape


def _field(split: str, column: str, kind: str) -> Json:
    return {
        "@type": "cr:Field",
        "@id": f"{split}/{column}",
        "name": f"{split}/{column}",
        "dataType": kind,
        "source": {"fileSet": {"@id": f"{split}-files"}, "extract": {"column": column}},
    }
