"""CPU seconds that the peer's ``encrypt_batch`` takes, numpy in and numpy out, as JSON.

Usage: PEER_PYTHON benchmarks/peer_encrypt.py ROWS.npy APPROXIMATION_FACTOR [CIPHERTEXTS.npy]

With a third argument the ciphertexts are written there.

Runs under a Python of its own that has ``ironcore-alloy`` (AGPL) and numpy; nothing of this
package is imported here, and nothing of the peer elsewhere.
"""

import asyncio
import json
import sys
import time

import numpy as np
from ironcore_alloy import (
    AlloyMetadata,
    PlaintextVector,
    RotatableSecret,
    Secret,
    Standalone,
    StandaloneConfiguration,
    StandaloneSecret,
    StandardSecrets,
    VectorSecret,
)


async def main() -> None:
    x = np.load(sys.argv[1])
    secret = RotatableSecret(StandaloneSecret(1, Secret(bytes(range(32)))), None)
    vectors = {"path": VectorSecret(float(sys.argv[2]), secret)}
    peer = Standalone(StandaloneConfiguration(StandardSecrets(None, []), {}, vectors)).vector()
    metadata = AlloyMetadata.new_simple("tenant")
    start = time.process_time()
    batch = {
        str(i): PlaintextVector(
            plaintext_vector=row.tolist(),
            secret_path="path",  # noqa: S106 -- a name
            derivation_path="derivation",
        )
        for i, row in enumerate(x)
    }
    result = await peer.encrypt_batch(batch, metadata)
    found = result.successes
    c = np.array([found[str(i)].encrypted_vector for i in range(len(x))], dtype=np.float32)
    seconds = time.process_time() - start
    if c.shape != x.shape or result.failures:
        raise SystemExit("the peer did not encrypt every row")
    if len(sys.argv) > 3:
        np.save(sys.argv[3], c)
    print(json.dumps({"seconds": seconds}))


asyncio.run(main())
