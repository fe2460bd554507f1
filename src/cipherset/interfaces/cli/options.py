"""Options that more than one command has, in the same words."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from cipherset.app.engine.engine import Engine, EngineKind
from cipherset.app.gate.assets import REGION, TENANT
from cipherset.core.environment import checked_region, checked_tenant
from cipherset.core.errors import UsageError
from cipherset.core.objects import SCHEME, ObjectPath
from cipherset.core.values import ColumnRoles, Guarantee
from cipherset.interfaces.cli import settings
from cipherset.pipeline.export import place_of
from cipherset.pipeline.ingest import Consent
from cipherset.pipeline.private import guarantee_of

text: Final = click.option(
    "--text", multiple=True, metavar="COL", help="Text to embed; several columns are joined."
)
vector: Final = click.option(
    "--vector", metavar="COL", help="A column of your own vectors, instead of text."
)
image: Final = click.option(
    "--image", metavar="COL", help="A column of images, instead of text; for a folder: image."
)
group: Final = click.option(
    "--group",
    metavar="COL",
    help="Rows with one value in this column stay on one side: train or test.",
)
pool: Final = click.option(
    "--pool",
    metavar="COL",
    help="Rows with one value in this column become one row: a thread, a history.",
)
keep: Final = click.option(
    "--keep", multiple=True, metavar="COL", help="A column that leaves in the clear."
)
columns: Final = click.option(
    "--columns",
    "beside",
    multiple=True,
    metavar="COL,...",
    help="Numbers and categories that join the vector of their row.",
)
labels_sep: Final = click.option(
    "--labels-sep",
    metavar="SEP",
    help="A cell of --label holds several: a list, or texts with this between them.",
)
rank_by: Final = click.option(
    "--rank-by",
    metavar="COL",
    help="--label is a grade, to order the rows of one value in COL by: a query, a person.",
)
max_reid: Final = click.option(
    "--max-reid",
    default=0.05,
    show_default=True,
    metavar="R",
    help="Limit of measured re-identification, with file and key stolen.",
)
approximation_factor: Final = click.option(
    "--approximation-factor",
    type=float,
    metavar="B",
    help="How much noise (beta); chosen if absent.",
)
encoder: Final = click.option(
    "--encoder",
    default="minilm-l6-v2",
    show_default=True,
    metavar="NAME",
    help="A known name, or the folder of a sentence-transformers model.",
)
all_fields: Final = click.option(
    "--all-fields", is_flag=True, help="Embed every --text column, needed or not."
)
rules: Final = click.option(
    "--rules",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What is taken out and how, as TOML (default: the shipped rules).",
)

_consent: Final = click.option(
    "--consent",
    metavar="COL",
    help="Keep only rows where this column says yes, or the purpose of --for.",
)
_purpose: Final = click.option(
    "--for", "purpose", metavar="PURPOSE", default="", help="What the rows are wanted for."
)


ENCRYPTED: Final = "encrypted"
SYNTHETIC: Final = "synthetic"
_release: Final = click.option(
    "--release",
    default=ENCRYPTED,
    show_default=True,
    type=click.Choice([ENCRYPTED, SYNTHETIC]),
    help="encrypted rows, or synthetic ones: drawn, no person's, with (epsilon, delta) of each.",
)
_epsilon: Final = click.option(
    "--epsilon", metavar="E", help="With --release synthetic: 1 to 8 is usual."
)
_delta: Final = click.option("--delta", metavar="D", help="With --release synthetic: such as 1e-6.")


Command = Callable[..., None]


def label(what: str, *, required: bool = False) -> Callable[[Command], Command]:
    """``--label``, for ``what`` the command makes of it."""
    return click.option("--label", required=required, metavar="COL", help=what)


def target(what: str) -> Callable[[Command], Command]:
    """``--to DIR``, given as ``target``; ``what`` is put there."""
    path = click.Path(path_type=Path)
    return click.option("--to", "target", required=True, type=path, metavar="DIR", help=what)


class Place(click.ParamType):  # type: ignore[type-arg]
    """What a text names, here or in an object store; ``of`` tells which."""

    def __init__(self, name: str, of: Callable[[Any], object]) -> None:
        """Called ``name`` where click speaks of it."""
        self.name = name
        self._of = of

    def convert(
        self,
        value: Any,  # noqa: ANN401 -- a text, or what one was made into
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> object:
        """The place that the text names."""
        return self._of(value)


def _file_of(value: str | Path | ObjectPath) -> Path | ObjectPath:
    if isinstance(value, str):
        return ObjectPath(value) if value.startswith(SCHEME) else Path(value)
    return value


# A directory, or s3://BUCKET/PREFIX; and a file, or s3://BUCKET/KEY.
FOLDER_PLACE: Final = Place("place", place_of)
FILE_PLACE: Final = Place("file", _file_of)


def target_or_store(what: str) -> Callable[[Command], Command]:
    """``--to PLACE``, given as ``target``; ``what`` is put there."""
    return click.option(
        "--to", "target", required=True, type=FOLDER_PLACE, metavar="PLACE", help=what
    )


def seed(what: str) -> Callable[[Command], Command]:
    """``--seed``, of ``what`` is drawn by it."""
    number = click.IntRange(min=0)
    return click.option(
        "--seed", default=0, show_default=True, type=number, metavar="N", help=f"Seed of {what}."
    )


def force(what: str) -> Callable[[Command], Command]:
    """``--force``, to overwrite ``what``, which is there."""
    return click.option("--force", is_flag=True, help=f"Overwrite {what} there.")


def as_roles(command: Command) -> Command:
    """The options that say which column plays which part, given to ``command`` as ``roles``."""

    @wraps(command)
    def given(  # noqa: PLR0913  # house: hands on the options that only the command knows
        *context: object,
        text: tuple[str, ...],
        vector: str | None,
        image: str | None,
        label: str | None,
        group: str | None,
        pool: str | None,
        keep: tuple[str, ...],
        labels_sep: str | None,
        rank_by: str | None,
        beside: tuple[str, ...],
        **others: object,
    ) -> None:
        if group is not None and rank_by is not None:
            raise UsageError(
                "rows that are ranked are of one group each, which --rank-by names",
                code="usage",
                hint="leave --group out",
            )
        roles = ColumnRoles(text, vector, label, group or rank_by, keep, image, pool, labels_sep)
        names = tuple(name.strip() for name in ",".join(beside).split(",") if name.strip())
        roles = replace(roles, ranked=rank_by is not None, beside=names)
        command(*context, roles=roles, **others)

    return given


def consent(command: Command) -> Command:
    """The options that say whose rows may be used, given to ``command`` as ``consent``."""

    @wraps(command)
    def given(  # house: hands on the options that only the command knows
        *context: object, consent: str | None, purpose: str, **others: object
    ) -> None:
        asked = None if consent is None else Consent(consent, purpose)
        command(*context, consent=asked, **others)

    return _consent(_purpose(given))


def consent_and_purpose(command: Callable[..., None]) -> Callable[..., None]:
    """The same, and what is wanted by itself: given to ``command`` as ``purpose`` too."""

    @wraps(command)
    def given(  # house: hands on the options that only the command knows
        *context: object, consent: str | None, purpose: str, **others: object
    ) -> None:
        asked = None if consent is None else Consent(consent, purpose)
        command(*context, consent=asked, purpose=purpose or None, **others)

    return _consent(_purpose(given))


def home(command: Callable[..., None]) -> Callable[..., None]:
    """--tenant and --region: whose rows they are, and where they are to stay."""
    tenant = click.option("--tenant", metavar="NAME", help="Whose rows they are.")
    return tenant(click.option("--region", metavar="NAME", help="Where they are to stay.")(command))


def said_of_home(tenant: str | None, region: str | None) -> dict[str, str]:
    """What the two options said.

    Raises:
        InputError: ``region``, ``tenant``.
    """
    told = {} if tenant is None else {TENANT: checked_tenant(tenant)}
    return told if region is None else {**told, REGION: checked_region(region)}


def as_release(command: Command) -> Command:
    """The options that say what leaves, given to ``command`` as ``synthetic``: what that keeps."""

    @wraps(command)
    def given(  # house: hands on the options that only the command knows
        *context: object, release: str, epsilon: str | None, delta: str | None, **others: object
    ) -> None:
        command(*context, synthetic=_kept(release, epsilon, delta), **others)

    return _release(_epsilon(_delta(given)))


def _kept(release: str, epsilon: str | None, delta: str | None) -> Guarantee | None:
    if (release == SYNTHETIC) != (epsilon is not None) or (epsilon is None) != (delta is None):
        raise UsageError(
            "--release synthetic, --epsilon and --delta go together",
            code="usage",
            hint="for encrypted rows give --noise gaussian:EPS,DELTA",
        )
    return None if epsilon is None or delta is None else guarantee_of(epsilon, delta)


_engine: Final = click.option(
    "--engine",
    default=EngineKind.IN_PROCESS.value,
    show_default=True,
    type=click.Choice([kind.value for kind in EngineKind]),
    help="Where batches are worked on: here, or on a Ray cluster.",
)
_address: Final = click.option(
    "--address", metavar="HOST:PORT", help="The Ray cluster (default: one started here)."
)
_answers: Final = click.option(
    "--answers",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where workers put their sealed answers (default: the workspace).",
)


def engine(command: Command) -> Command:
    """The options that say where batches are worked on, given to ``command`` as ``engine``."""

    @wraps(command)
    def given(  # house: hands on the options that only the command knows
        *context: object, engine: str, address: str | None, answers: Path | None, **others: object
    ) -> None:
        asked = Engine(EngineKind(engine), address, answers, has_token=settings.has_ray_token())
        command(*context, engine=asked, **others)

    return _engine(_address(_answers(given)))
