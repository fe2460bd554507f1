"""Which engine an operation runs its batches on."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cipherset.core.errors import UsageError


class EngineKind(StrEnum):
    """The engines there are."""

    IN_PROCESS = "in-process"
    RAY = "ray"


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine and how it is reached.

    ``address`` is that of a running cluster; without one, Ray is started on this machine for as
    long as the operation takes. ``folder`` is where workers put their sealed answers, on a file
    system that all of them see; the workspace's by default. ``has_token`` says whether this
    process shows the cluster a token, and thus whether the cluster can ask for one.
    """

    kind: EngineKind = EngineKind.IN_PROCESS
    address: str | None = None
    folder: Path | None = None
    has_token: bool = False

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            UsageError: ``usage``; ``ray_without_token``; ``target_parent``.
        """
        if not self.is_ray:
            if self.address is not None or self.folder is not None:
                raise UsageError(
                    "an address and a folder of answers are for --engine ray",
                    code="usage",
                    hint="add --engine ray, or leave them out",
                )
            return
        if not self.has_token:
            raise UsageError(
                "whoever reaches a Ray cluster without a token runs code on its workers, which "
                "hold plain rows",
                code="ray_without_token",
                hint="set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH=FILE for every process of "
                "the cluster, and here",
            )
        if self.folder is not None and not self.folder.is_dir():
            raise UsageError(
                f"the folder {self.folder} does not exist",
                code="target_parent",
                hint=f"create it first, where all workers see it: mkdir -p {self.folder}",
            )

    @property
    def is_ray(self) -> bool:
        """Whether batches go to workers of a Ray cluster."""
        return self.kind is EngineKind.RAY


IN_PROCESS = Engine()
