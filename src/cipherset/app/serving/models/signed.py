"""The signed statement under an answer: which model said what to which request, and when.

    DSSE envelope, Ed25519, of the workspace's signer; schema cipherset/answer/1

A client verifies it offline, with the fingerprint that it was given beforehand. The digests are
SHA-256 over canonical JSON that holds the answer's nonce: the statement alone, which may be kept or
shown around, confirms a guess to nobody. It says that this gateway gave this answer, not that the
model is right.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from securesystemslib.signer import Signer

from cipherset.core import canonical
from cipherset.core.envelope import public_key_of, sign, verify
from cipherset.core.errors import IntegrityError
from cipherset.core.manifest import Instant, SignerFacts

ANSWER_TYPE: Final = "application/vnd.cipherset.answer.v1+json"
_OTHER: Final = "do not use the answer; ask again, and tell whoever runs the gateway"


class Lineage(BaseModel):
    """Where an answer comes from, by digests and ids.

    ``model`` is the digest of the bundle, ``manifest`` that of the cipherset that it learned from,
    ``run`` the deployment in the gateway's ledger.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    model: str
    manifest: str
    key_id: str
    key_version: int
    run: str | None


class Statement(BaseModel):
    """The payload; digests of request and answer, their lineage, and when it was said."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    schema_name: Literal["cipherset/answer/1"] = "cipherset/answer/1"
    name: str
    precision: str
    request: str
    answer: str
    lineage: Lineage
    time: Instant
    signer: SignerFacts


@dataclass(frozen=True, slots=True)
class Said:
    """What a statement is about: what was asked of which model, and the predictions as JSON."""

    name: str
    precision: str
    inputs: list[Any]
    predictions: list[dict[str, Any]]
    nonce: str

    def request_digest(self) -> str:
        """Of the model's name, the precision and the inputs, with the nonce."""
        return canonical.digest(
            {
                "model": self.name,
                "precision": self.precision,
                "inputs": [_spelled(each) for each in self.inputs],
                "nonce": self.nonce,
            }
        )

    def answer_digest(self) -> str:
        """Of the predictions, with the nonce."""
        return canonical.digest({"predictions": self.predictions, "nonce": self.nonce})


def _spelled(given: Any) -> Any:  # noqa: ANN401 -- a text or a vector
    """A text that canonical JSON can hold: half of a surrogate pair is no character."""
    if not isinstance(given, str):
        return given
    return given.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def signed_statement(said: Said, lineage: Lineage, time: str, signer: Signer) -> str:
    """The envelope, as text."""
    statement = Statement(
        name=said.name,
        precision=said.precision,
        request=said.request_digest(),
        answer=said.answer_digest(),
        lineage=lineage,
        time=time,
        signer=SignerFacts(public_key=public_key_of(signer)),
    )
    payload = canonical.encode(statement.model_dump(mode="json"))
    return sign(payload, ANSWER_TYPE, signer).decode()


def verified_statement(envelope: str, said: Said, *, fingerprint: str | None) -> Statement:
    """The statement, if it is about what was said, and signed by the key of that fingerprint.

    ``None`` accepts any signer: then it only shows that nothing was changed on the way.

    Raises:
        IntegrityError: ``signature``, ``signer`` and others of an envelope; ``answer_other``: it
            is about another request or answer.
    """
    verified = verify(envelope.encode(), ANSWER_TYPE, expected_fingerprint=fingerprint)
    try:
        statement = Statement.model_validate_json(verified.payload)
    except ValidationError:
        raise IntegrityError(
            "the answer's statement is not of this version", code="answer_schema", hint=_OTHER
        ) from None
    asked = (said.name, said.precision, said.request_digest())
    if (statement.name, statement.precision, statement.request) != asked:
        raise IntegrityError(
            "the statement is about another request", code="answer_other", hint=_OTHER
        )
    if statement.answer != said.answer_digest():
        raise IntegrityError(
            "the statement is about another answer", code="answer_other", hint=_OTHER
        )
    return statement
