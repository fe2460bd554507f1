"""The agent as a file: it looks for AI on a host of its own, and writes a report for here."""

from pathlib import Path
from typing import Any

from cipherset.app.audit.files import check_free, put
from cipherset.core import canonical
from cipherset.evidence.discover.agent.build import agent_bytes


def write_agent(target: Path, *, overwrite: bool) -> dict[str, Any]:
    """Write the agent; its path, its size and its digest, by which a host's can be told.

    Raises:
        UsageError: ``target_exists``, ``target_parent``.
        BackendError: it cannot be written.
    """
    check_free(target, overwrite=overwrite)
    raw = agent_bytes()
    put(target, raw, overwrite=overwrite)
    return {"agent": str(target), "bytes": len(raw), "digest": canonical.digest_bytes(raw)}
