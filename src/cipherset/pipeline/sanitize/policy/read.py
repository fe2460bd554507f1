"""A file of rules, laid over the shipped one; whatever is wrong with it is said by file and key."""

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from cipherset.core import canonical
from cipherset.core.errors import InputError
from cipherset.pipeline.sanitize.detectors.built_in import EXTRAS, NAMES
from cipherset.pipeline.sanitize.detectors.content.terms import TermsDetector, read_terms
from cipherset.pipeline.sanitize.policy.check import Checked
from cipherset.pipeline.sanitize.policy.policy import SCHEMA, Policy, Terms
from cipherset.pipeline.sanitize.treat import Rule, Treatment

DEFAULT: Final = "default.toml"
_MOST_BYTES: Final = 1 << 24
_SECTIONS: Final = ("defaults", "detectors", "entities", "languages", "terms")


def default_text() -> str:
    """The shipped file."""
    return (files(__package__) / DEFAULT).read_text(encoding="utf-8")


@cache
def default_policy() -> Policy:
    """The shipped rules."""
    empty = Policy(None, (), (), (), {}, Rule(Treatment.PLACEHOLDER), "US", ())
    document = tomllib.loads(default_text())
    return _laid_over(empty, Checked(DEFAULT, document), None, known=document["entities"])


def read_policy(path: Path) -> Policy:
    """The rules of a TOML file, and of the shipped one where it says nothing.

    Raises:
        InputError: ``rules_file``: it is not there, not TOML, or asks for what there is not;
            ``terms_file``: a list of terms is not there, or holds none.
    """
    try:
        document = tomllib.loads(_read(path))
    except tomllib.TOMLDecodeError as error:
        raise _bad(
            path.name, f"not TOML ({_place(error)})", "see: docs/reference/rules.md"
        ) from None
    return _laid_over(default_policy(), Checked(path.name, document), path.parent)


def policy_of(text: str) -> Policy:
    """The rules whose canonical JSON is ``text``, as they were sealed.

    Raises:
        IntegrityError: not canonical JSON.
        InputError: ``rules_file``: made by another version, which had what this one has not.
    """
    document = canonical.decode(text.encode(), what="the sealed rules")
    if document.pop("schema", None) != SCHEMA:
        raise _bad("the sealed rules", "of another version", "use the version that sealed them")
    return _laid_over(default_policy(), Checked("the sealed rules", document), None)


def _laid_over(
    base: Policy, asked: Checked, folder: Path | None, known: Iterable[str] | None = None
) -> Policy:
    asked.knowing(_SECTIONS)
    detectors = asked.table("detectors").knowing(("extras", "gliner", "skip", "use"))
    defaults = asked.table("defaults").knowing(("keep_last", "phone_region", "treatment"))
    languages = asked.table("languages").knowing(("expected",))
    terms = tuple(_terms(each, folder) for each in asked.tables("terms"))
    entities = asked.table("entities").knowing(
        [*(known or base.entities), *(each.entity for each in terms)]
    )
    use = detectors.names("use", NAMES)
    return Policy(
        use=base.use if use is None else use,
        skip=detectors.names("skip", NAMES) or base.skip,
        extras=detectors.names("extras", tuple(EXTRAS)) or base.extras,
        terms=terms or base.terms,
        entities={**base.entities, **{name: entities.rule(name) for name in entities.keys}},
        default=defaults.default_rule(base.default),
        phone_region=defaults.region("phone_region", base.phone_region),
        languages=languages.languages("expected") or base.languages,
        gliner=_gliner(detectors, folder) or base.gliner,
    )


def _gliner(asked: Checked, folder: Path | None) -> str | None:
    """The directory of the model, relative to the file of rules; sealed rules say it in full."""
    if "gliner" not in asked.keys:
        return None
    return str((folder or Path()).absolute() / asked.text("gliner"))


def _terms(asked: Checked, folder: Path | None) -> Terms:
    asked.knowing(("entity", "file", "words"))
    entity = asked.entity("entity", "TRADE_SECRET")
    if folder is not None and "file" in asked.keys:
        words = tuple(read_terms(folder / asked.text("file")))
    else:
        words = asked.words("words")
    TermsDetector("words", words, entity)  # refuses terms that no text can hold
    return Terms(entity, words)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise _bad(str(path), f"cannot be read ({error.strerror})", "check its path") from None
    except UnicodeDecodeError:
        raise _bad(str(path), "not valid UTF-8", "save it as UTF-8") from None


def _place(error: tomllib.TOMLDecodeError) -> str:
    """Where, in the parser's words; what stands there is not quoted."""
    _, at, place = str(error).rpartition("(")
    return place.rstrip(")") if at else "its end"


def _bad(name: str, found: str, hint: str) -> InputError:
    return InputError(f"{name}: {found}", code="rules_file", hint=hint)
