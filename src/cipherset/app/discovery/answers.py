"""The questionnaire: what no scan sees, told by whoever uses it, in TOML or in a form.

What is told is kept for ever with the run that registers it, and told again it is another run: the
last one holds. It is somebody's word, and the inventory says so.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from cipherset.app.discovery.record import Knowledge, Look, Sighting, record
from cipherset.app.discovery.status import reviews
from cipherset.app.gate import Action, Fact
from cipherset.app.workspace import Session, open_workspace
from cipherset.core.errors import InputError
from cipherset.core.files import disk_errors, read_regular
from cipherset.custody.ledger import Transaction
from cipherset.custody.policy import Kind
from cipherset.evidence.views.inventory.status import Review, Reviewed, counted

SCHEMA: Final = "cipherset/answers/1"
# The answers are asked for in this form; ``discover --questions`` prints it.
QUESTIONS: Final = f"""\
# What AI is used here that no scan of a repository, host or log would see?
# One [[use]] for each. What is written here is kept for ever: no names of persons, no passwords.
schema = "{SCHEMA}"

[[use]]
name = "Meeting notes"                    # what it is called where it is used
vendor = ""                               # who offers it; empty if it is your own
kind = "service"                          # service, model or dataset
purpose = "minutes of meetings"           # what it is used for
owner = "sales"                           # who answers for it: a team or a role
data = ["speech of customers"]            # which classes of data go in
endpoints = ["https://notes.example"]     # where it is reached, as far as known
people = 12                               # how many use it; leave out if nobody knows
"""
_MOST_BYTES: Final = 1_000_000
_MOST_USES: Final = 1000

Line = Annotated[str, Field(min_length=1, max_length=200)]
_Text = Annotated[str, Field(max_length=200)]


class Answer(BaseModel):
    """One use of AI as somebody told it; ``people`` counts those who use it, None if unknown."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    name: Line
    purpose: Line
    owner: Line
    vendor: _Text = ""
    kind: Literal["service", "model", "dataset"] = "service"
    data: tuple[Line, ...] = Field(default=(), max_length=50)
    endpoints: tuple[Line, ...] = Field(default=(), max_length=50)
    people: int | None = Field(default=None, ge=0, le=10**9)

    @field_validator("name", "purpose", "owner", "vendor", "data", "endpoints")
    @classmethod
    def _printable(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for text in (value,) if isinstance(value, str) else value:
            if not text.isprintable() or text != text.strip():
                raise ValueError("one line of printable text")
        return value

    @field_validator("endpoints")
    @classmethod
    def _places(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            parts = urlsplit(text if "://" in text else f"//{text}")
            if not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
                raise ValueError("a place, without a name, a password, a query or a fragment")
        return value

    @property
    def sighting(self) -> Sighting:
        """What was told, as it is recorded; the same name and vendor are the same asset."""
        return Sighting(
            asset=Kind(self.kind),
            kind="told",
            what=self.name,
            where=", ".join(self.endpoints) or "not told",
            within=self.vendor,
        )


class _Answers(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    schema_: Literal["cipherset/answers/1"] = Field(alias="schema")
    use: tuple[Answer, ...] = Field(min_length=1, max_length=_MOST_USES)


@dataclass(frozen=True, slots=True)
class Registered:
    """An answer in the inventory; ``is_new``: it was not in it before."""

    answer: Answer
    review: Reviewed
    is_new: bool

    @property
    def id(self) -> str:
        """Of its asset."""
        return self.answer.sighting.id

    def as_json(self) -> dict[str, Any]:
        """The command's JSON: one of the findings."""
        seen = self.answer.sighting
        return {
            "kind": seen.kind,
            "where": seen.where,
            "what": seen.what,
            "status": self.review.status.value,
            "because": self.review.because,
            "asset": seen.id,
            "new": self.is_new,
        }


@dataclass(frozen=True, slots=True)
class Answered:
    """All that were registered at once."""

    registered: tuple[Registered, ...]

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "findings": [each.as_json() for each in self.registered],
            "statuses": self.counts(),
        }

    def counts(self) -> dict[str, int]:
        """How many there are of each status."""
        return counted(each.review for each in self.registered)

    def unreviewed(self) -> dict[str, str]:
        """What each is that nobody has reviewed, by its id."""
        return {
            each.id: each.answer.name
            for each in self.registered
            if each.review.status is Review.UNREVIEWED
        }

    def reviewed(self, stand: Mapping[str, Reviewed]) -> "Answered":
        """The same with the reviews that ``stand`` now, by id."""
        now = (replace(each, review=stand.get(each.id, each.review)) for each in self.registered)
        return Answered(tuple(now))


def read_answers(path: Path) -> tuple[Answer, ...]:
    """The answers of a file.

    Raises:
        InputError: ``answers``: not TOML of that form; the message names the place.
        BackendError: it cannot be read.
    """
    with disk_errors(path):
        raw = read_regular(path, most_bytes=_MOST_BYTES + 1)
    if raw is None or len(raw) > _MOST_BYTES:
        raise _bad(path, f"it is no file of at most {_MOST_BYTES} bytes")
    try:
        told = tomllib.loads(raw.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        raise _bad(path, "it is not TOML") from None
    try:
        # By way of JSON, where a list is the only form of a tuple.
        return _Answers.model_validate_json(json.dumps(told, default=str)).use
    except ValidationError as error:
        raise _bad(path, _first(error)) from None


def answer_from(fields: Mapping[str, str]) -> Answer:
    """The answer of a form: ``data`` and ``endpoints`` are a line for each, ``people`` a number.

    Raises:
        InputError: ``answers``: a field is missing, or not of its form; the message names it.
    """
    lists = {
        name: [line.strip() for line in fields.get(name, "").splitlines() if line.strip()]
        for name in ("data", "endpoints")
    }
    plain = ("name", "vendor", "purpose", "owner", "kind")
    told = {name: fields[name].strip() for name in plain if fields.get(name, "").strip()}
    people = fields.get("people", "").strip()
    number: dict[str, int | str] = (
        {"people": int(people) if people.isdecimal() else people} if people else {}
    )
    try:
        return Answer.model_validate_json(json.dumps({**told, **lists, **number}))
    except ValidationError as error:
        raise _bad("the form", _first(error)) from None


def register(session: Session, answer: Answer) -> Registered:
    """Put one answer into the inventory, as somebody's word.

    Raises: as ``register_all``.
    """
    return register_all(session, (answer,)).registered[0]


def register_all(session: Session, answers: Sequence[Answer]) -> Answered:
    """Put answers into the inventory.

    Raises:
        PolicyError: ``not_allowed``.
        BackendError: the ledger cannot be written.
    """
    facts: dict[str, Fact] = {"source": Knowledge.QUESTIONNAIRE.value, "answers": len(answers)}
    with open_workspace(session) as workspace:
        gate = workspace.gate
        with gate.act(Action.DISCOVER, Knowledge.QUESTIONNAIRE.value, facts) as act:
            new = gate.ledger.transact(lambda work: _recorded(work, gate.actor, answers))
            act.facts["new"] = len(new)
        found = reviews(workspace, {each.sighting.id for each in answers})
    return Answered(
        tuple(
            Registered(each, found[each.sighting.id], is_new=each.sighting.id in new)
            for each in answers
        )
    )


def _recorded(work: Transaction, actor: str, answers: Sequence[Answer]) -> frozenset[str]:
    """The ids of those that were not known."""
    new: frozenset[str] = frozenset()
    for each in answers:
        told = {"answer": each.model_dump(mode="json")}
        new |= record(
            work, actor, Look(Knowledge.QUESTIONNAIRE, each.owner, told), [each.sighting]
        ).new
    return new


def _first(error: ValidationError) -> str:
    """Where the form is broken, and how; never by what."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(step + 1) if isinstance(step, int) else str(step) for step in first["loc"])
    return f"{place or 'it'}: {first['msg']}"


def _bad(place: Path | str, why: str) -> InputError:
    return InputError(
        f"{place} does not hold answers: {why}",
        code="answers",
        hint="start from the questions: cipherset discover --questions",
    )
