"""A ``Progress`` for whoever serves many: nobody watches."""


class Quiet:
    """Told, and silent."""

    def start(self, stage: str, total: int | None) -> None:
        """A stage begins."""

    def advance(self, steps: int) -> None:
        """``steps`` more are done."""

    def finish(self) -> None:
        """The stage is done."""
