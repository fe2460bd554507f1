"""The error for an engine that is not installed."""

from cipherset.core.errors import BackendError


def missing(engine: str, command: str) -> BackendError:
    """The refusal of ``engine``; ``command`` installs it."""
    return BackendError(f"{engine} is not installed", code="detector_missing", hint=command)
