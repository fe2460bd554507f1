"""Nothing that training in the lab or at the gate wrote holds a plain vector or a key."""

import numpy as np
from thread_samples import opened, vector_rows

from cipherset.app.workspace import Session
from cipherset.custody.keys import KeyUse
from cipherset.evidence.attack.model import Kind, Plants, search_folder
from cipherset.interfaces.cli.output import TerminalProgress


def plants(owner):
    """Plain rows of the source, and the key it was encrypted under."""
    with opened(Session(owner.home, "tester", owner.home, TerminalProgress())) as workspace:
        key = workspace.ring.open("support", purpose=KeyUse.EXPORT).secret.reveal()
    vectors = np.array([row["vec"] for row in vector_rows()[:25]], dtype=np.float32)
    return Plants(vectors=vectors, keys=(key,))


def test_bundles_ledger_and_exports_hold_no_row_and_no_key(changed):
    owner = changed.owner
    owner.ok("train", changed.cipherset, "--at-gate", "--to", owner.folder / "gate.bundle")
    planted = plants(owner)
    changed.source.unlink()
    assert search_folder(owner.folder, planted) == ()
    # What is there is found: a bundle in which a row and the key are left.
    note = repr(planted.vectors[7].tolist()) + planted.keys[0].hex()
    (changed.bundle / "notes.txt").write_text(note)
    found = search_folder(owner.folder, planted)
    where = str((changed.bundle / "notes.txt").relative_to(owner.folder))
    assert {(trace.file, trace.kind, trace.which) for trace in found} == {
        (where, Kind.VECTOR, 7),
        (where, Kind.KEY, 0),
    }
