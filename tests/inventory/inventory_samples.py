"""Reports as an agent writes them, of a host that is not there."""

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "serving"))

import serving_thread

__all__ = ["copied", "fresh", "owner", "report", "seen"]

copied = serving_thread.copied
owner = serving_thread.vector_owner
WEIGHTS = "sha256:" + "a" * 64


def fresh(folder):
    """A session in a workspace that nobody has used."""
    folder.mkdir(exist_ok=True)
    return serving_thread.Owner(folder).session


def seen(kind="sdk", what="openai", path="/srv/app/chat.py", **more):
    """One finding of a report, whole."""
    found = {"kind": kind, "what": what, "path": path, "line": 3, "how": "import"}
    found |= {"service": "", "digest": "", "bundle": "", "size_bytes": 0, "n_times": 1}
    return found | more


def report(folder, *findings, name="report.json", host="web-1", **more):
    """The file of an agent's report."""
    told = {
        "schema": "cipherset/discovery/1",
        "host": host,
        "started": "2026-01-02T03:04:05Z",
        "finished": "2026-01-02T03:04:06Z",
        "catalog": "",
        "roots": ["/srv/app"],
        "n_files": 7,
        "findings": list(findings),
        "not_read": [],
        "n_not_read": 0,
    }
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / name
    path.write_text(json.dumps(told | more))
    return path
