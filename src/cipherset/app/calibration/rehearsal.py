"""Exports as they would be, with key and noise from a seed, so that a calibration can be repeated.

For what never leaves: whoever knows the seed can take this noise off. ``protect`` has no seed in
key or noise, and nothing here is reachable from it.
"""

import hashlib
from dataclasses import dataclass

from cipherset.app.exports.calibrate import Setting, pair
from cipherset.app.exports.utility import Protection
from cipherset.core.manifest import Task
from cipherset.core.secret import KeyHandle, Secret
from cipherset.core.values import Float32s
from cipherset.pipeline.minimize import FittedMinimizer


@dataclass(frozen=True, slots=True)
class Rehearsal(Protection):
    """A protection whose noise depends on a seed and on the rows alone."""

    seed: int = 0

    def noised(self, z: Float32s) -> Float32s:
        """Ciphertext of minimized rows, the same for the same rows."""
        stream = _digest(f"noise/{self.seed}".encode() + z.tobytes())
        return self.cipher.encrypt_for_testing(z, noise_stream_for_testing=stream)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """Makes rehearsals where a sweep makes protections."""

    seed: int

    def key(self) -> KeyHandle:
        """The key of the rehearsal."""
        return KeyHandle("calibration", 1, Secret(_digest(f"key/{self.seed}".encode())))

    def __call__(
        self,
        key: KeyHandle,
        scheme: str,
        task: Task | None,
        setting: Setting,
        minimizer: FittedMinimizer,
    ) -> Rehearsal:
        """As ``pair``."""
        made = pair(key, scheme, task, setting, minimizer)
        return Rehearsal(made.task, made.minimizer, made.cipher, self.seed)


def _digest(of: bytes) -> bytes:
    return hashlib.sha256(b"cipherset/calibration/" + of).digest()
