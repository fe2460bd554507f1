"""Faces without a template in the clear: who is the same, who keeps the index, who asks it.

Usage: python benchmarks/faces.py --data DIR [--keys N]

DIR holds `orl_faces`, 40 folders of ten photographs of one person each. Nothing finds the faces in
them; the frame was chosen on the first twenty people, and what is printed is of the other
twenty. The first five photographs of each are enrolled, the others are asked about. Same-person
AUC: the chance that two photographs of one person are nearer than two of different people. Each
factor is measured under as many keys as `--keys` says; the index is built and asked by the
commands.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.metrics import roc_auc_score, roc_curve
from tables import Table, arguments, hand_over, local
from threadpoolctl import threadpool_limits

from cipherset.app import keys
from cipherset.app.images.encoders import open_image_encoder
from cipherset.app.index.build import build
from cipherset.app.index.request import BuildRequest, Columns
from cipherset.app.index.risk import measure
from cipherset.app.index.search import SearchRequest, search
from cipherset.app.workspace import Session
from cipherset.core.secret import SECRET_BYTES
from cipherset.core.values import Float32s
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.ingest import read_image

SEED = 0
FACES = local("ORL faces")
ENCODERS = ("face-resnet-128", "efficientnet-lite0")
# Side, and first row, of the square that is taken of 92 x 112 pixels, with its edges drawn out.
FRAMES = {"central square": (92, 10), "chin and sides inside": (104, 20)}
CHOSEN = "chin and sides inside"
CHOSEN_ON = 20
FACTORS = (2.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0)
ENROLLED = 5
MISTAKEN = 0.001
BUILT = (8.0, 16.0)
FRAMES_HEAD = ("frame", *ENCODERS)
PAIRS_HEAD = (
    "approximation factor", "plain, and with the key", "query and stored row, without the key",
    "two stored rows, without the key", "re-id excess without the key (95 %)", "with 10 pairs",
    "with 100 pairs",
)  # fmt: skip
SEARCH_HEAD = (
    "approximation factor", "asked about", "nearest is the person", "threshold",
    "same person found", "others taken for the person", "index refused at 0.05",
)  # fmt: skip


@dataclass(frozen=True)
class Photographs:
    """Files, and whose they are, in the same order; ``is_enrolled`` says which are in the index."""

    paths: list[Path]
    people: np.ndarray
    is_enrolled: np.ndarray


def photographs(data: Path, folder: Path, frame: str) -> Photographs:
    """Written to ``folder`` as squares."""
    paths, people, numbers = [], [], []
    for path in sorted((data / "orl_faces").glob("s*/*.pgm")):
        person = path.parent.name
        if int(person[1:]) <= CHOSEN_ON:
            continue
        target = folder / frame / person / f"{path.stem}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        framed(np.asarray(Image.open(path)), *FRAMES[frame]).save(target)
        paths.append(target)
        people.append(person)
        numbers.append(int(path.stem))
    return Photographs(paths, np.array(people), np.array(numbers) <= ENROLLED)


def framed(pixels: np.ndarray, side: int, top: int) -> Image.Image:
    height, width = pixels.shape
    left = (width - side) // 2
    drawn_out = np.pad(pixels, ((0, max(0, top + side - height)), (side, side)), "edge")
    return Image.fromarray(drawn_out[top : top + side, side + left : side + left + side])


def vectors(held: Photographs, encoder: str, cache: Path) -> Float32s:
    opened = open_image_encoder(encoder, cache)
    return opened.encode(np.concatenate([read_image(path, opened.side) for path in held.paths]))


def auc(x: Float32s, y: Float32s, same: np.ndarray) -> float:
    """By distance, as whoever has the vectors or ciphertexts can compute it."""
    squared = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1) - 2 * x @ y.T
    pairs = np.ones(same.shape, dtype=bool)
    if x is y:
        pairs = np.triu(pairs, 1)
    return float(roc_auc_score(same[pairs], -squared[pairs]))


def by_factor(held: Photographs, x: Float32s, n_keys: int) -> Iterator[list[str]]:
    gallery, probes = x[held.is_enrolled], x[~held.is_enrolled]
    owners, askers = held.people[held.is_enrolled], held.people[~held.is_enrolled]
    asked, stored = askers[:, None] == owners, owners[:, None] == owners
    plain = auc(probes, gallery, asked)
    for factor in FACTORS:
        found = []
        for _ in range(n_keys):
            secret = os.urandom(SECRET_BYTES)
            cipher = VectorCipher(secret, dim=x.shape[1], approximation_factor=factor)
            c, q = cipher.encrypt(gallery), cipher.encrypt_query(probes)
            found.append((auc(q, c, asked), auc(c, c, stored)))
        risk = measure(x, factor, seed=SEED)
        pairs = dict(risk.by_pairs)
        yield [
            f"{factor:g}",
            f"{plain:.4f}",
            *(f"{value:.3f}" for value in np.mean(found, axis=0)),
            f"{risk.excess:.3f} (up to {risk.high:.3f})",
            *(f"{pairs[n]:.3f}" for n in (10, 100)),
        ]


def enrolled(held: Photographs, folder: Path) -> Path:
    """A folder by person, as `index build` takes it."""
    for path, is_enrolled in zip(held.paths, held.is_enrolled, strict=True):
        if is_enrolled:
            (folder / path.parent.name).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / path.parent.name)
    return folder


def searched(held: Photographs, factor: float, cache: Path) -> list[str]:
    """Each person's other photographs, asked of the index by every name."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        session = Session(folder / "home", "owner", cache, TerminalProgress())
        keys.create(session, "doors", purpose="open doors", provider=None)
        source, index = enrolled(held, folder / "people"), folder / "people.index"
        request = BuildRequest(
            str(source), "doors", index, columns=Columns(image="image", label="label"),
            approximation_factor=factor, encoder=ENCODERS[0], accept_risk="measured here",
        )  # fmt: skip
        manifest = build(session, request).manifest
        people = sorted(set(held.people))
        owners = [path.parent.name for path in sorted(source.glob("*/*"))]
        asked = [
            (path, person)
            for path, person, known in zip(held.paths, held.people, held.is_enrolled, strict=True)
            if not known
        ]
        nearest, scores, same = 0, [], []
        for path, person in asked:
            hits = search(session, SearchRequest(index, text=str(path), top=len(owners)))
            best = dict.fromkeys(people, -1.0)
            for hit in hits:
                owner = owners[int(hit.row)]
                best[owner] = max(best[owner], hit.score)
            nearest += max(best, key=lambda one: best[one]) == person
            scores += list(best.values())
            same += [one == person for one in best]
    false, true, thresholds = roc_curve(same, scores)
    at = int(np.searchsorted(false, MISTAKEN, side="right")) - 1
    return [
        f"{factor:g}", f"{len(asked)}", f"{nearest / len(asked):.3f}", f"{thresholds[at]:.3f}",
        f"{true[at]:.3f}", f"{false[at]:.4f}",
        "yes" if manifest.assessment["reid_high"] > 0.05 else "no",
    ]  # fmt: skip


def tables(asked: argparse.Namespace) -> Iterator[Table]:
    with tempfile.TemporaryDirectory() as name:
        held = {frame: photographs(asked.data, Path(name), frame) for frame in FRAMES}
        yield frames(held, asked.cache)
        chosen = held[CHOSEN]
        x = vectors(chosen, ENCODERS[0], asked.cache)
        yield Table(
            "faces/pairs", "Same-person AUC by who compares: 200 photographs of 20 people",
            PAIRS_HEAD, list(by_factor(chosen, x, asked.keys)), (FACES,), (SEED,),
            f"{ENCODERS[0]}, {asked.keys} keys a row. Pairs: photographs whose vectors the "
            "attacker has. Re-identified are single photographs, among the 100 that are not his.",
        )  # fmt: skip
        rows = [searched(chosen, factor, asked.cache) for factor in BUILT]
        yield Table(
            "faces/search", "Enrolled by name, asked by photograph: index build and search",
            SEARCH_HEAD, rows, (FACES,), (SEED,),
            f"A threshold that at most {MISTAKEN:.1%} of (photograph, other person) pass, found on "
            "these very rows.",
        )  # fmt: skip


def frames(held: dict[str, Photographs], cache: Path) -> Table:
    """Plain, all pairs."""
    rows = []
    for frame, each in held.items():
        same = each.people[:, None] == each.people
        found = [vectors(each, encoder, cache) for encoder in ENCODERS]
        rows.append([frame, *(f"{auc(x, x, same):.4f}" for x in found)])
    title = "Same-person AUC of plain vectors: 200 photographs of 20 people"
    return Table("faces/frames", title, FRAMES_HEAD, rows, (FACES,), (SEED,))


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--keys", type=int, default=5)
    asked = parser.parse_args()
    with threadpool_limits(1):
        hand_over(tables(asked), asked.tables)


if __name__ == "__main__":
    main()
