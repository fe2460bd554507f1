"""What the server of a federated round has from gradients: of plain rows and of encrypted ones.

Usage: python benchmarks/gradients.py --data DIR [--rows 400] [--cache DIR] [--seed 0]

BANKING77 under its 7 coarse and its 77 fine labels. The server knows the model before the step, the
gradient and the clear labels of the batch; each batch is one step of one owner.

Table 1, recovery: cosine between what it finds and the rows that were stepped on, by batch size.

Table 2, identification: of the rows found from batches of one, how many are told from the 2,000
rows they may be, by labels alone (chance), without the key, and with key and minimizer stolen;
beside it the figure of the exported file itself with the same stolen.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from banking77 import Banking, Codes, read
from membership import Setting
from tables import Table, arguments, hand_over
from threadpoolctl import threadpool_limits

from cipherset.core.values import NO_NOISE, Float32s, Floats, NoiseLaw
from cipherset.evidence.attack import clopper_pearson, reidentify
from cipherset.evidence.attack.gradient import Layer, Network, matched, recover_batch
from cipherset.evidence.attack.model import fit_head
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.minimize import FitSettings, fit, parse_spec

N_FITTED = 2000
N_CANDIDATES = 2000
HIDDEN = 64
BATCHES = (1, 2, 4, 8, 16)
N_SEARCHED = 16  # rows of each size of batch, two batches at least: the search takes seconds
GOOD = 0.99
SETTINGS = {
    7: (Setting("bottleneck:6", 4), Setting("bottleneck:6", 12, 1.0)),
    77: (Setting("bottleneck:32", 6), Setting("bottleneck:32", 24, 1.0)),
}


@dataclass(frozen=True)
class Stored:
    """Rows as an owner trains on them, and what an attacker has to tell them by.

    ``plain``: the candidates as ``stored`` would be without key and noise.
    """

    name: str
    stored: Float32s
    plain: Float32s
    noise: NoiseLaw
    cipher: VectorCipher | None = None

    def opened(self, rows: Floats) -> Floats:
        """``rows`` with the key removed, if there is one."""
        return rows if self.cipher is None else self.cipher.remove_key(rows.astype(np.float32))


def stores(data: Banking, labels: Codes, rows: Codes, seed: int) -> Iterator[Stored]:
    """The candidates, plain and under each setting; minimizers are fitted on other rows too."""
    x = data.vectors
    yield Stored("plain", x[rows], x[rows], NO_NOISE)
    fitted = np.random.default_rng([seed, 1]).permutation(len(x))[:N_FITTED]
    for setting in SETTINGS[int(labels.max()) + 1]:
        settings = FitSettings(noise_radius=setting.radius, seed=seed, shrink=setting.shrink)
        minimizer = fit(parse_spec(setting.spec), x[fitted], labels[fitted], settings=settings)
        z = minimizer.transform(x[rows])
        cipher = VectorCipher(bytes(32), dim=z.shape[1], approximation_factor=setting.factor)
        name = f"encrypted, {setting}"
        yield Stored(name, cipher.encrypt(z), z, cipher.noise, cipher)


def models(stored: Stored, labels: Codes, seed: int) -> Iterator[tuple[str, Network]]:
    """As sent out before the first step, and a head that has learned all there is."""
    dim, n_classes = stored.stored.shape[1], int(labels.max()) + 1
    yield "head, first step", Network.drawn((dim, n_classes), seed)
    head = fit_head(stored.stored, np.eye(n_classes)[labels])
    yield "head, trained", Network((Layer(head.matrix, head.offset),))
    yield f"mlp of {HIDDEN}, first step", Network.drawn((dim, HIDDEN, n_classes), seed)


def found_by_server(
    network: Network, x: Floats, y: Codes, batch: int, seed: int
) -> tuple[Floats, Floats]:
    """What is found of each row, in the rows' order, and its cosine to the row."""
    found, cosines = np.zeros(x.shape), np.zeros(len(x))
    for at in range(0, len(x), batch):
        rows = slice(at, at + batch)
        seen = network.gradient(x[rows], y[rows])
        got = recover_batch(network, seen, y[rows], seed=seed)
        order, cosines[rows] = matched(got, x[rows])
        found[rows] = got[order]
    return found, cosines


def recovery(stored: Stored, labels: Codes, n: int, seed: int) -> Iterator[list[str]]:
    for name, network in models(stored, labels, seed):
        cells = []
        for batch in BATCHES:
            many = min(n, max(N_SEARCHED, batch * 2))
            _, cosines = found_by_server(network, stored.stored[:many], labels[:many], batch, seed)
            cells.append(f"{np.mean(cosines):.3f}; {np.mean(cosines >= GOOD):.0%}")
        yield [stored.name, name, *cells]


def identification(stored: Stored, labels: Codes, n: int, seed: int) -> Iterator[list[str]]:
    x, y = stored.stored[:n], labels[:n]
    of_file = rate(stored.opened(x), stored, labels)
    for name, network in models(stored, labels, seed):
        found, _ = found_by_server(network, x, y, 1, seed)
        blind, opened = (rate(r, stored, labels) for r in (found, stored.opened(found)))
        row = [stored.name, name, f"{opened[3]:.3f}"]
        yield row + [shown(cell) for cell in (blind, opened, of_file)]


def rate(rows: Floats, stored: Stored, labels: Codes) -> tuple[float, float, float, float]:
    """The share that the nearest-neighbor attack tells, its interval, and that of labels alone."""
    n = len(rows)
    got = reidentify(
        rows,
        stored.plain,
        truth=np.arange(n),
        ciphertext_groups=labels[:n],
        candidate_groups=labels,
        noise=stored.noise,
    )
    return got.nearest, *clopper_pearson(got.nearest * n, n), got.label_alone


def shown(cell: Sequence[float]) -> str:
    return f"{cell[0]:.3f} ({cell[1]:.3f} to {cell[2]:.3f})"


COLUMNS = {
    "recovery": ("rows", "model", *(f"batch of {n}" for n in BATCHES)),
    "identification": (
        "rows", "model", "labels alone", "from gradients, no key",
        "from gradients, key and minimizer stolen", "from the file, the same stolen",
    ),
}  # fmt: skip
PARTS = {"recovery": recovery, "identification": identification}


def tables(asked: argparse.Namespace) -> Iterator[Table]:
    data = read(asked.data, asked.cache)
    rows = np.random.default_rng(asked.seed).permutation(len(data.vectors))[:N_CANDIDATES]
    worlds = [
        (str(int(every.max()) + 1), stored, every[rows])
        for every in (data.coarse, data.fine)
        for stored in stores(data, every, rows, asked.seed)
    ]
    notes = {
        "recovery": f"Mean cosine of {N_SEARCHED} rows or two batches; share of {GOOD} or more.",
        "identification": f"{asked.rows} rows of {N_CANDIDATES:,}.",
    }
    for part, lines in PARTS.items():
        cells = [
            [classes, *line]
            for classes, stored, labels in worlds
            for line in lines(stored, labels, asked.rows, asked.seed)
        ]
        yield Table(
            f"gradients/{part}",
            part.capitalize(),
            ("classes", *COLUMNS[part]),
            cells,
            (data.source,),
            (asked.seed,),
            notes[part],
        )


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of train.csv, test.csv")
    parser.add_argument("--rows", type=int, default=400, help="rows that are identified")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with threadpool_limits(1):
        hand_over(tables(asked), asked.tables)


if __name__ == "__main__":
    main()
