"""What Gaussian noise with an (epsilon, delta) costs on BANKING77, beside noise in a ball.

Usage: python benchmarks/gaussian.py --data DIR [--seeds 3] [--delta 1e-6] [--cache DIR]

Everything is fitted on all training rows, which are all exported, and measured as in
benchmarks/minimize.py: accuracy of the model that `cipherset train` makes of the export, on
noise-free test queries; the label-aware excess of the stronger of two attacks, with key and
minimizer stolen, on 2,000 test rows. The noise is that of the cipher itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from banking77 import Banking, Codes, read, split
from minimize import N_CANDIDATES, anchored, on_noisy, on_plain
from tables import Table, arguments, hand_over
from threadpoolctl import threadpool_limits

from cipherset.core.values import Float32s, Guarantee
from cipherset.evidence.attack import reidentify
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.minimize import FitSettings, FittedMinimizer, fit, parse_spec

EPSILONS = (1.0, 4.0, 8.0, 16.0)
SPECS = {
    "7 coarse classes": ("bottleneck:6", "bottleneck:3"),
    "77 classes": ("bottleneck:76", "bottleneck:32", "bottleneck:16", "bottleneck:8"),
}
KEY = bytes(32)
HEAD = (
    "minimizer", "noise", "sigma or radius", "on the export", "anchor control", "owner's head",
    "re-id excess, %",
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One setting and seed: shares."""

    sigma: float
    export: float
    anchor: float
    excess: float


def noisy(cipher: VectorCipher, z: Float32s) -> Float32s:
    """What a thief of the key has of minimized rows."""
    return cipher.remove_key(cipher.encrypt(z))


def measured(
    data: Banking, y: Codes, minimizer: FittedMinimizer, cipher: VectorCipher, seed: int
) -> Line:
    """One line; the rotation changes neither model nor attack, and is taken off."""
    rows = split(y, seed)
    z, queries = (minimizer.transform(data.vectors[part]) for part in (rows.train, rows.test))
    truth = y[rows.test]
    on_export = on_noisy(noisy(cipher, z), y[rows.train]).predict(queries)
    anchors, labels = anchored(z, y[rows.train], y[rows.train])
    on_anchors = on_noisy(noisy(cipher, anchors), labels).predict(queries)
    chosen = np.random.default_rng([seed, 2]).permutation(len(queries))[:N_CANDIDATES]
    told = reidentify(
        noisy(cipher, queries[chosen]),
        queries[chosen],
        truth=np.arange(len(chosen)),
        ciphertext_groups=truth[chosen],
        candidate_groups=truth[chosen],
        noise=cipher.noise,
    )
    return Line(
        sigma=cipher.noise.size,
        export=float((on_export == truth).mean()),
        anchor=float((on_anchors == truth).mean()),
        excess=told.excess,
    )


def ciphers(dim: int, delta: float) -> dict[str, VectorCipher]:
    """The noises of the table by name, the strongest promise first."""
    found = {
        f"epsilon {epsilon:g}": VectorCipher.with_gaussian_noise(
            KEY, dim=dim, guarantee=Guarantee(epsilon, delta)
        )
        for epsilon in EPSILONS
    }
    for factor in (8.0, 24.0):
        name = f"ball, beta {factor:g} (no epsilon)"
        found[name] = VectorCipher(KEY, dim=dim, approximation_factor=factor)
    return found


def table(data: Banking, task: str, *, delta: float, seeds: int) -> Table:
    y = data.fine if task == "77 classes" else data.coarse
    plain, heads, lines = [], {}, {}
    for seed in range(seeds):
        rows = split(y, seed)
        model = on_plain(data.vectors[rows.train], y[rows.train])
        plain.append((model.predict(data.vectors[rows.test]) == y[rows.test]).mean())
        for spec in SPECS[task]:
            settings = FitSettings(noise_radius=1.0, seed=seed)  # what any large noise is cut to
            minimizer = fit(
                parse_spec(spec), data.vectors[rows.train], y[rows.train], settings=settings
            )
            test = minimizer.transform(data.vectors[rows.test])
            heads.setdefault(spec, []).append((minimizer.head_predict(test) == y[rows.test]).mean())
            for noise, cipher in ciphers(minimizer.dim, delta).items():
                line = measured(data, y, minimizer, cipher, seed)
                lines.setdefault((spec, noise), []).append(line)
    found = [
        [spec, noise, f"{some[0].sigma:.2f}", *middles(some), f"{np.median(heads[spec]):.3f}",
         spread([100 * line.excess for line in some])]
        for (spec, noise), some in lines.items()
    ]  # fmt: skip
    return Table(
        f"gaussian/{task.split()[0]}",
        f"{task}: plain {np.median(plain):.3f}, delta {delta:g}",
        HEAD,
        found,
        (data.source,),
        tuple(range(seeds)),
        "Median of the seeds (least to most).",
    )


def middles(lines: Sequence[Line]) -> list[str]:
    return [f"{np.median([getattr(line, n) for line in lines]):.3f}" for n in ("export", "anchor")]


def spread(values: Sequence[float]) -> str:
    return f"{np.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of train.csv and test.csv")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--delta", type=float, default=1e-6)
    asked = parser.parse_args()
    data = read(asked.data, asked.cache)
    with threadpool_limits(1):
        made = (table(data, task, delta=asked.delta, seeds=asked.seeds) for task in SPECS)
        hand_over(made, asked.tables)


if __name__ == "__main__":
    main()
