"""``cipherset train``."""

from pathlib import Path

import click

from cipherset.app.models import TrainRequest, TrainSpec, train, train_at_gate
from cipherset.core.errors import UsageError
from cipherset.core.manifest import ModelKind
from cipherset.core.objects import ObjectFolder
from cipherset.core.values import Guarantee
from cipherset.interfaces.cli import options
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.commands.models.written import as_json, as_rows, measured_on
from cipherset.pipeline.private import guarantee_of

EXAMPLE = "cipherset train tickets.cipherset --to router.bundle --model logistic"
KINDS = [kind.value for kind in ModelKind if kind is not ModelKind.EXTERNAL]


@click.command(name="train", cls=Command, epilog=f"Example:  {EXAMPLE}")
@click.argument("cipherset", type=options.FOLDER_PLACE, metavar="PLACE")
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(path_type=Path),
    metavar="BUNDLE",
    help="The bundle to write.",
)
@click.option(
    "--model",
    default="logistic",
    show_default=True,
    type=click.Choice(KINDS),
    help="The family of the model.",
)
@click.option(
    "--hidden",
    default="64",
    show_default=True,
    metavar="N,N",
    help="For mlp: width of each hidden layer.",
)
@click.option(
    "--epochs", default=50, show_default=True, metavar="N", help="For mlp: passes over the rows."
)
@click.option(
    "--trees", default=100, show_default=True, metavar="N", help="For boosting: how many trees."
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Seed of the training; never of anything secret.",
)
@click.option(
    "--at-gate",
    is_flag=True,
    help="Train on the owner's side, on noise-free vectors of full width.",
)
@click.option(
    "--dp",
    "privacy",
    metavar="EPS,DELTA",
    help="With --at-gate: keep (epsilon, delta) of each row, on the conditions it prints.",
)
@click.option(
    "--for", "purpose", metavar="PURPOSE", help="With --at-gate: the purpose, as a grant names it."
)
@options.force("a bundle that is")
@click.pass_obj
def command(  # noqa: PLR0913 -- one parameter per option
    context: Context,
    cipherset: Path | ObjectFolder,
    target: Path,
    model: str,
    hidden: str,
    epochs: int,
    trees: int,
    seed: int,
    privacy: str | None,
    purpose: str | None,
    at_gate: bool,  # noqa: FBT001 -- click hands it over by name
    force: bool,  # noqa: FBT001 -- click hands it over by name
) -> None:
    """Train a model on the cipherset in PLACE; needs no key, unless --at-gate.

    PLACE is a directory, or s3://BUCKET/PREFIX.
    """
    spec = TrainSpec(ModelKind(model), hidden=_layers(hidden), epochs=epochs, trees=trees)
    asked = None if privacy is None else _guarantee(privacy, at_gate=at_gate)
    request = TrainRequest(
        *(cipherset, target, spec), seed=seed, overwrite=force, purpose=purpose, privacy=asked
    )
    bundle = train_at_gate(context.session(), request) if at_gate else train(request)
    told = [] if at_gate else [measured_on(cipherset)]
    context.show(as_json(bundle, target), f"bundle written: {target}", as_rows(bundle, told))


def _guarantee(text: str, *, at_gate: bool) -> Guarantee:
    if not at_gate:
        raise UsageError(
            "--dp is for training at the gate: what an export keeps, its models keep",
            code="usage",
            hint="add --at-gate",
        )
    epsilon, _, delta = text.partition(",")
    return guarantee_of(epsilon, delta)


def _layers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            "--hidden takes whole numbers, such as 64 or 128,64",
            code="model_size",
            hint="see: cipherset train --help",
        ) from None
