"""What is looked at before a row is written: its label, the rows of a test, its own."""

from collections.abc import Iterator

from cipherset.app.encoders import open_encoder
from cipherset.app.gate import Act
from cipherset.app.labels.record import known_label
from cipherset.app.sanitizing.batch import texts_of
from cipherset.app.sanitizing.request import SUSPECTS, SanitizeRequest
from cipherset.app.training.suspects import Looking, Suspects, suspects_of
from cipherset.app.workspace import Session, Workspace
from cipherset.core.labels import Label, Level
from cipherset.pipeline.ingest import Source, open_source
from cipherset.pipeline.sanitize.training import check_exportable, check_leak


def allowed_label(
    workspace: Workspace, act: Act, asset: str, accept_risk: str | None
) -> Label | None:
    """The label of the source, if its rows may be written; None where nobody has looked.

    A restricted source takes a live grant, or, where one person does everything, a reason.

    Raises:
        PolicyError: ``restricted_rows``.
    """
    label = known_label(workspace, asset)
    if label is None:
        return None
    accepted = accept_risk is not None and _is_alone(workspace)
    allowed = Level.RESTRICTED if accepted or act.grant_id is not None else Level.CONFIDENTIAL
    check_exportable(label.level, allowed)
    return label


def check_apart(request: SanitizeRequest, source: Source) -> None:
    """Nothing, if no row of the source is in the rows that a model is to be tested on.

    Raises:
        InputError: ``split_leak``; or the test rows cannot be read.
    """
    if request.test is None:
        return
    test = open_source(request.test)
    test.check_columns(request.text)
    check_leak(_texts(source, request), _texts(test, request))


def suspects_in(session: Session, request: SanitizeRequest, source: Source) -> Suspects | None:
    """The rows of the source that stand out; None where nobody asks.

    Raises:
        InputError: ``too_few_neighbors``.
        BackendError: the encoder is not there.
    """
    if SUSPECTS not in request.filters:
        return None
    encoder = open_encoder(request.encoder, session.cache)
    looking = Looking(request.text, request.label, encoder, seed=0)
    return suspects_of(source, looking, session.progress)


def _texts(source: Source, request: SanitizeRequest) -> Iterator[list[str]]:
    for rows in source.whole():
        yield [text for text in texts_of(rows, request.text) if text]


def _is_alone(workspace: Workspace) -> bool:
    gate = workspace.gate
    return gate.ledger.transact(lambda work: gate.policies(work).limits.grants.self_approval)
