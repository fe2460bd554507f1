"""Show and verify a cipherset; needs no key and no workspace."""

from pathlib import Path
from typing import Any

from cipherset.core.objects import ObjectFolder
from cipherset.pipeline.export import open_cipherset


def inspect(path: Path | ObjectFolder, signer: str | None) -> dict[str, Any]:
    """What a verified cipherset says of itself, and who signed it.

    Raises:
        IntegrityError: one byte differs, a file is extra or missing, or another key signed it.
        InputError: there is no cipherset at ``path``.
    """
    cipherset = open_cipherset(path, signer=signer)
    manifest = cipherset.manifest.model_dump(mode="json", by_alias=True)
    return {"valid": True, "signer": cipherset.fingerprint, "manifest": manifest}
