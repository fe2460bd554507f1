"""What may be trained at the gate, as its caller declares it: families and sizes, never code.

    {"models": [{"kind": "logistic", "inverse_penalty": [1, 10]},
                {"kind": "mlp", "hidden": [[64], [128, 64]], "epochs": [50]},
                {"kind": "boosting", "trees": [100]}]}

Each combination is a candidate; the best on a quarter of the training rows is trained on them all.
"""

from collections.abc import Iterator
from itertools import product
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from cipherset.core.errors import InputError
from cipherset.core.manifest import ModelKind
from cipherset.pipeline.train import TrainSpec

MOST_CANDIDATES: Final = 64
_Penalty = Annotated[float, Field(gt=0, le=1e4, allow_inf_nan=False)]
_Width = Annotated[int, Field(ge=1, le=512)]
_Layers = Annotated[list[_Width], Field(min_length=1, max_length=3)]
_Epochs = Annotated[int, Field(ge=1, le=200)]
_Trees = Annotated[int, Field(ge=1, le=300)]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LogisticGrid(_Declared):
    """Linear heads; ``inverse_penalty`` as scikit-learn's ``C``."""

    kind: Literal["logistic"]
    inverse_penalty: list[_Penalty] = Field(default=[1.0], min_length=1, max_length=16)
    balanced: bool = False

    def specs(self) -> Iterator[TrainSpec]:
        """Every combination."""
        for penalty in self.inverse_penalty:
            yield TrainSpec(ModelKind.LOGISTIC, inverse_penalty=penalty, balanced=self.balanced)


class MlpGrid(_Declared):
    """Small networks: widths of their layers, passes over the rows."""

    kind: Literal["mlp"]
    hidden: list[_Layers] = Field(default=[[64]], min_length=1, max_length=16)
    epochs: list[_Epochs] = Field(default=[50], min_length=1, max_length=16)

    def specs(self) -> Iterator[TrainSpec]:
        """Every combination."""
        for hidden, epochs in product(self.hidden, self.epochs):
            yield TrainSpec(ModelKind.MLP, hidden=tuple(hidden), epochs=epochs)


class BoostingGrid(_Declared):
    """Boosted trees."""

    kind: Literal["boosting"]
    trees: list[_Trees] = Field(default=[100], min_length=1, max_length=16)
    balanced: bool = False

    def specs(self) -> Iterator[TrainSpec]:
        """Every combination."""
        for trees in self.trees:
            yield TrainSpec(ModelKind.BOOSTING, trees=trees, balanced=self.balanced)


Grid = Annotated[LogisticGrid | MlpGrid | BoostingGrid, Field(discriminator="kind")]


class SearchSpace(_Declared):
    """Families with their grids; ``seed`` drives starts and orders, never anything secret."""

    models: list[Grid] = Field(min_length=1, max_length=8)
    seed: int = Field(default=0, ge=0, lt=2**31)

    def candidates(self) -> tuple[TrainSpec, ...]:
        """Every combination of every family, in the order that they are declared.

        Raises:
            InputError: ``candidates``.
        """
        found = tuple(spec for grid in self.models for spec in grid.specs())
        if len(found) > MOST_CANDIDATES:
            raise InputError(
                f"the search space has {len(found)} candidates, at most {MOST_CANDIDATES} are "
                "trained",
                code="candidates",
                hint="ask for fewer combinations",
            )
        return found
