"""More than one text a row: images, threads, documents and histories of items, end to end.

Usage: python benchmarks/kinds.py [--data DIR] [--only NAME ...]

Each is what the commands do: protect with nothing set but the limit, train without a key, evaluate
where the key is. `digits` and `columns` need nothing;
the rows of `columns` are made up. DIR holds folders of local copies: `mts_dialog` (visits,
one dialog each, split into what each side says, or into chunks of words), `movielens`
(movielens.csv: 100,004 ratings with userId, movieId, genres, timestamp), `orl_faces` (40 folders
of ten images) and `airline_support_tweets` (airline_support_tweets.csv.gz).
"""

import argparse
import csv
import gzip
import io
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.decomposition import TruncatedSVD
from tables import Table, arguments, hand_over, local
from threadpoolctl import threadpool_limits

from cipherset.app import keys
from cipherset.app.exports.protect import protect
from cipherset.app.exports.request import ProtectRequest, ProtectResult
from cipherset.app.models import TrainRequest, TrainSpec, evaluate, train, train_at_gate
from cipherset.app.workspace import Session
from cipherset.core.errors import PolicyError
from cipherset.core.values import ColumnRoles
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.pipeline.export import open_cipherset
from cipherset.pipeline.train import LabelScores, RankScores, SetScores, score_ranking

SEED = 0
LIMIT = 0.1  # a few hundred held-out rows do not show less with certainty
DIALOG = local("MTS-Dialog")
MOVIES = local("MovieLens, 100,004 ratings")
FACES = local("ORL faces")
TWEETS = local("airline support tweets")
MADE_UP = "4,000 subscribers made up: half of who leaves is in the text, half in plan and months"
DIGITS = "1,797 handwritten digits, 8 x 8 pixels, that scikit-learn brings along"
HISTORY = 5  # items before the one that is to be told
TOP_ITEMS = 20
RANKED = 20  # films of a viewer that are put in order
LIKED = 4.0  # of five stars
FREQUENT = 0.1  # of the films watched have a genre that is told of
ITEM_DIM = 64
CHUNK_WORDS = 60
N_MADE_UP = 4_000
N_TWEETS = 6_000
HEAD = (
    "what is told", "rows", "always the most frequent", "plain", "owner's head", "anchor control",
    "on the export", "re-id plain", "re-id excess (95 %)", "candidates", "export",
)  # fmt: skip
RANKING_HEAD = (
    "what is ordered", "rows", "trained on", "NDCG@10", "pairs in order", "R2", "re-id plain",
    "re-id excess (95 %)", "candidates", "export",
)  # fmt: skip
TITLES = {
    "digits": "Images: 1,797 handwritten digits",
    "columns": "Columns beside text: subscribers, made up",
    "tweets": f"Columns beside text: {N_TWEETS:,} tweets to airlines",
    "faces": "Images: 400 photographs of 40 people",
    "documents": "Documents: dialogs of visits, in chunks of 60 words",
    "threads": "Threads: dialogs of visits, each thing said is a message",
    "histories": f"Histories: {HISTORY} films pooled, all of one viewer on one side",
}


@dataclass(frozen=True)
class Kind:
    """A source to be written, and how it is protected."""

    name: str
    told: str
    data: str
    roles: ColumnRoles
    write: Callable[[Path, Path], Path]
    needs: str | None = None
    accept: str | None = None
    limit: float = LIMIT
    encoder: str | None = None


def digits(_: Path, folder: Path) -> Path:
    held = load_digits()
    for i, (ink, label) in enumerate(zip(held.images, held.target, strict=True)):
        path = folder / "digits" / str(label) / f"{i:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((255 - 255 * ink / 16).astype(np.uint8)).save(path)
    return folder / "digits"


def digits_said(_: Path, folder: Path) -> Path:
    """The same digits, and all that is true of each."""
    true = {"even": "02468", "below five": "01234", "with a loop": "0689", "prime": "2357"}
    rows, held = [], load_digits()
    for ink, label in zip(held.images, held.target, strict=True):
        image = io.BytesIO()
        Image.fromarray((255 - 255 * ink / 16).astype(np.uint8)).save(image, "png")
        said = [name for name, digits in true.items() if str(label) in digits]
        rows.append({"image": image.getvalue(), "label": said})
    pq.write_table(pa.Table.from_pylist(rows), folder / "said.parquet")
    return folder / "said.parquet"


def subscribers(_: Path, folder: Path) -> Path:
    """Complaints that say a topic, and columns; who leaves depends on both, and on chance."""
    rng = np.random.default_rng(SEED)
    said = (
        ("the {} in {} was fine, thanks for the help with {}", "please send the {} of {} to {}"),
        ("the {} in {} broke again, the {} too", "nobody answers about the {} of {}, or the {}"),
    )
    things = ["invoice", "router", "line", "box", "signal", "contract", "bill", "phone", "cable"]
    towns = [f"{a}{b}" for a in ("North", "South", "East", "West") for b in ("ham", "ton", "ley")]
    path = folder / "subscribers.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["body", "plan", "months", "leaves"])
        for _row in range(N_MADE_UP):
            upset, monthly = rng.random() < 0.5, rng.random() < 0.5
            months = int(rng.gamma(2.0, 12.0))
            body = str(rng.choice(said[upset]))
            words = (rng.choice(things), rng.choice(towns), rng.choice(things))
            score = 1.6 * upset + 1.6 * monthly - 0.05 * (months - 24) - 1.6 + rng.logistic(0, 0.5)
            known = months if rng.random() > 0.05 else ""
            plan = "monthly" if monthly else "yearly"
            writer.writerow([body.format(*words), plan, known, "yes" if score > 0 else "no"])
    return path


def tweets(data: Path, folder: Path) -> Path:
    """What was said, to whom and when; of the place only whether one is given."""
    source = data / "airline_support_tweets" / "airline_support_tweets.csv.gz"
    with gzip.open(source, "rt", encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    order = np.random.default_rng(SEED).permutation(len(rows))[:N_TWEETS]
    path = folder / "tweets.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["body", "airline", "day", "hour", "placed", "mood"])
        for row in (rows[at] for at in order):
            day, hour = row["tweet_created"].split()
            writer.writerow(
                [
                    row["text"], row["airline"], day, hour.split(":")[0],
                    bool(row["tweet_location"]), row["airline_sentiment"],
                ]
            )  # fmt: skip
    return path


def faces(data: Path, folder: Path) -> Path:
    for path in sorted((data / "orl_faces").glob("s*/*.pgm")):
        (folder / "faces" / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / "faces" / path.parent.name)
    return folder / "faces"


def said_by_turns(whole: str) -> list[str]:
    return re.split(r"(?:^|\s)(?:Doctor|Patient|Guest_\w+)\s*:", whole)


def chunks(whole: str) -> list[str]:
    words = whole.split()
    starts = range(0, len(words), CHUNK_WORDS)
    return [" ".join(words[start : start + CHUNK_WORDS]) for start in starts]


def threads(data: Path, folder: Path) -> Path:
    """One row per thing said; a visit is known by its number."""
    return _visits(data, folder / "threads.csv", said_by_turns)


def documents(data: Path, folder: Path) -> Path:
    """One row per chunk."""
    return _visits(data, folder / "documents.csv", chunks)


def _visits(data: Path, path: Path, parted: Callable[[str], list[str]]) -> Path:
    rows = []
    for name in ("train", "valid", "test1", "test2"):
        with (data / "mts_dialog" / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
            rows += list(csv.DictReader(lines))
    frequent = {topic for topic, n in Counter(r["section_header"] for r in rows).items() if n >= 40}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["visit", "topic", "said"])
        for visit, row in enumerate(rows):
            whole = row["dialogue"]  # codespell:ignore dialogue
            for part in filter(str.strip, parted(whole)):
                if row["section_header"] in frequent:
                    writer.writerow([visit, row["section_header"], part.strip()])
    return path


@dataclass(frozen=True)
class Ratings:
    """What each user watched, in order, as numbers of items, and how good it was to him.

    Items by genre and vector.
    """

    watched: dict[str, list[int]]
    grades: dict[tuple[str, int], float]
    genres: list[list[str]]
    vectors: np.ndarray


def ratings(data: Path) -> Ratings:
    """Item vectors are learned from three tenths of the users, who are left out afterwards."""
    events: dict[str, list[tuple[int, str]]] = {}
    genre: dict[str, list[str]] = {}
    rated: dict[tuple[str, str], float] = {}
    with (data / "movielens" / "movielens.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            events.setdefault(row["userId"], []).append((int(row["timestamp"]), row["movieId"]))
            genre[row["movieId"]] = row["genres"].split("|")
            rated[row["userId"], row["movieId"]] = float(row["rating"])
    users = sorted(events, key=int)
    rng = np.random.default_rng(SEED)
    learning = set(rng.permutation(users)[: 3 * len(users) // 10].tolist())
    counts = Counter(item for user in learning for _, item in events[user])
    items = sorted(item for item, n in counts.items() if n >= 2)
    place = {item: i for i, item in enumerate(items)}
    matrix = np.zeros((len(learning), len(items)))
    for row, user in enumerate(sorted(learning)):
        matrix[row, [place[item] for _, item in events[user] if item in place]] = 1
    matrix /= np.sqrt(np.maximum(matrix.sum(axis=0), 1))
    vectors = TruncatedSVD(ITEM_DIM, random_state=SEED).fit(matrix).components_.T
    watched = {
        user: [place[item] for _, item in sorted(events[user]) if item in place]
        for user in users
        if user not in learning
    }
    grades = {(user, place[item]): grade for (user, item), grade in rated.items() if item in place}
    return Ratings(watched, grades, [genre[item] for item in items], vectors)


def genres(data: Path, folder: Path) -> Path:
    """Windows that do not overlap: what was watched, and the genre of what came next."""
    held = ratings(data)
    shares = Counter(held.genres[item][0] for each in held.watched.values() for item in each)
    frequent = {name for name, n in shares.items() if n > 0.04 * shares.total()}
    windows = [
        (user, seen[at - HISTORY : at], held.genres[seen[at]][0])
        for user, seen in held.watched.items()
        for at in range(HISTORY, len(seen), HISTORY + 1)
        if held.genres[seen[at]][0] in frequent
    ]
    return _histories(folder / "genres.parquet", windows, held.vectors)


def all_genres(data: Path, folder: Path) -> Path:
    """The same windows, and every frequent genre of what came next, of which there may be none."""
    held = ratings(data)
    shares = Counter(
        name for each in held.watched.values() for item in each for name in held.genres[item]
    )
    n_rated = sum(map(len, held.watched.values()))
    frequent = {name for name, n in shares.items() if n > FREQUENT * n_rated}
    windows = [
        (user, seen[at - HISTORY : at], [n for n in held.genres[seen[at]] if n in frequent])
        for user, seen in held.watched.items()
        for at in range(HISTORY, len(seen), HISTORY + 1)
    ]
    return _histories(folder / "sets.parquet", windows, held.vectors)


def items(data: Path, folder: Path) -> Path:
    """Windows before one of the most watched items."""
    held = ratings(data)
    counts = Counter(item for each in held.watched.values() for item in each)
    top = {item for item, _ in counts.most_common(TOP_ITEMS)}
    windows = [
        (user, seen[at - HISTORY : at], f"item {seen[at]}")
        for user, seen in held.watched.items()
        for at in range(HISTORY, len(seen))
        if seen[at] in top
    ]
    return _histories(folder / "items.parquet", windows, held.vectors)


def graded(data: Path, folder: Path) -> Path:
    """The last films that each viewer rated: each one's vector, and where it meets his taste."""
    held, rows = ratings(data), []
    for user, seen in held.watched.items():
        liked = [item for item in seen[:-RANKED] if held.grades[user, item] >= LIKED]
        if not liked:
            continue
        taste = held.vectors[liked].mean(axis=0)
        taste /= max(float(np.linalg.norm(taste)), 1e-12)
        for item in seen[-RANKED:]:
            own = held.vectors[item] / max(float(np.linalg.norm(held.vectors[item])), 1e-12)
            both = np.concatenate([own, own * taste * np.sqrt(ITEM_DIM)])
            rows.append({"vec": both.tolist(), "grade": held.grades[user, item], "user": user})
    pq.write_table(pa.Table.from_pylist(rows), folder / "graded.parquet")
    return folder / "graded.parquet"


def _histories(
    path: Path, windows: Sequence[tuple[str, list[int], str | list[str]]], vectors: np.ndarray
) -> Path:
    rows = [
        {"user": user, "history": number, "next": label, "item": vectors[item].tolist()}
        for number, (user, seen, label) in enumerate(windows)
        for item in seen
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


IMAGES = ColumnRoles(image="image", label="label")
LEAVING = ColumnRoles(text=("body",), label="leaves")
MOOD = ColumnRoles(text=("body",), label="mood")
HISTORIES = ColumnRoles(vector="item", label="next", group="user", pool="history")
BETWEEN = ";"  # of labels in a text; here they come as lists
KINDS = (
    Kind("digits", "which digit", DIGITS, IMAGES, digits),
    Kind(
        "digits", "what is true of it (balanced accuracy)", DIGITS,
        replace(IMAGES, label_separator=BETWEEN), digits_said,
    ),
    Kind("columns", "who leaves, by text alone", MADE_UP, LEAVING, subscribers),
    Kind(
        "columns", "who leaves, by text, plan and months", MADE_UP,
        replace(LEAVING, beside=("plan", "months")), subscribers,
    ),
    Kind("tweets", "mood, by text alone", TWEETS, MOOD, tweets, "airline_support_tweets"),
    Kind(
        "tweets", "mood, by text, airline, day, hour and whether a place is given", TWEETS,
        replace(MOOD, beside=("airline", "day", "hour", "placed")), tweets,
        "airline_support_tweets",
    ),
    Kind("faces", "who it is", FACES, IMAGES, faces, "orl_faces", "too few rows to tell"),
    Kind(
        "faces", "who it is, by the encoder of faces", FACES, IMAGES, faces, "orl_faces",
        "too few rows to tell", encoder="face-resnet-128",
    ),
    Kind(
        "documents", "what a visit is about", DIALOG,
        ColumnRoles(text=("said",), label="topic", pool="visit"), documents, "mts_dialog",
        limit=0.15,
    ),
    Kind(
        "threads", "what a visit is about", DIALOG,
        ColumnRoles(text=("said",), label="topic", pool="visit"), threads, "mts_dialog",
        limit=0.15,
    ),
    Kind("histories", "genre of the next film", MOVIES, HISTORIES, genres, "movielens"),
    Kind(
        "histories", "each genre of the next film (balanced accuracy)", MOVIES,
        replace(HISTORIES, label_separator=BETWEEN), all_genres, "movielens",
    ),
    Kind("histories", "which of 20 films is next", MOVIES, HISTORIES, items, "movielens"),
)  # fmt: skip


def measured(kind: Kind, data: Path, cache: Path) -> list[str]:
    """The row of a kind."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        session = Session(folder / "home", "owner", cache, TerminalProgress())
        keys.create(session, "key", purpose=kind.told, provider=None)
        source, target = str(kind.write(data, folder)), folder / "made.cipherset"
        request = ProtectRequest(source, kind.roles, "key", target, max_reid=kind.limit)
        if kind.accept is not None:
            request = replace(request, accept_risk=kind.accept)
        if kind.encoder is not None:
            request = replace(request, encoder=kind.encoder)
        try:
            result = protect(session, request)
        except PolicyError as refused:
            return [kind.told, *[""] * 9, f"refused: {refused.code}"]
        train(TrainRequest(target, folder / "a.bundle", TrainSpec(), seed=SEED))
        scores = evaluate(session, folder / "a.bundle", str(target))
        _, labels = open_cipherset(target).to_numpy("test")
    if isinstance(scores, SetScores):
        return [kind.told, *_cells(result, scores.balanced_accuracy, 0.5)]
    if not isinstance(scores, LabelScores) or result.utility is None:
        raise TypeError("the labels of no kind are numbers")
    most = Counter(map(str, labels)).most_common(1)[0][1] / len(labels)
    return [kind.told, *_cells(result, scores.accuracy, most)]


def ranking(data: Path, cache: Path) -> Table:
    """Films of a viewer in order, by models of the export and of vectors without noise."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        session = Session(folder / "home", "owner", cache, TerminalProgress())
        keys.create(session, "key", purpose="which film first", provider=None)
        roles = ColumnRoles(vector="vec", label="grade", group="user", ranked=True)
        target = folder / "made.cipherset"
        source = graded(data, folder)
        guess = _guessed(pq.read_table(source))
        request = ProtectRequest(str(source), roles, "key", target, max_reid=LIMIT)
        result = protect(session, request)
        export, plain = folder / "export.bundle", folder / "plain.bundle"
        train(TrainRequest(target, export, TrainSpec(), seed=SEED))
        train_at_gate(session, TrainRequest(target, plain, TrainSpec(), seed=SEED))
        rows = []
        for learned, bundle in (("the export", export), ("vectors without noise", plain)):
            scores = evaluate(session, bundle, str(target))
            if not isinstance(scores, RankScores):
                raise TypeError("rows are ranked")
            found = (scores.ndcg_at_10, scores.pairwise_accuracy, scores.r2)
            cells = _cells(result, 0.0, 0.0)
            figures = [f"{value:.3f}" for value in found]
            rows.append(["films of a viewer", cells[0], learned, *figures, *cells[-4:]])
    note = (
        f"Limit of re-identification {LIMIT:g}. A guess orders half of the pairs, NDCG {guess:.3f}."
    )
    title = f"Ranking: the last {RANKED} films that each viewer rated, whole viewers held out"
    return Table("kinds/ranking", title, RANKING_HEAD, rows, (MOVIES,), (SEED,), note)


def _guessed(rows: pa.Table) -> float:
    """NDCG of the first ten where all rows of a viewer are told the same."""
    users = np.unique(rows["user"].to_pylist(), return_inverse=True)[1].reshape(-1)
    grades = rows["grade"].to_numpy()
    return score_ranking(np.zeros(len(users)), grades, users.astype(np.int64)).ndcg_at_10


def _cells(result: ProtectResult, accuracy: float, most: float) -> list[str]:
    manifest, worst, utility = result.manifest, result.leak.worst, result.utility
    if utility is None:
        raise TypeError("there are labels")
    rates = (most, utility.plain, utility.owner_head, utility.anchor_control, accuracy)
    return [
        f"{manifest.splits.train.rows:,} + {manifest.splits.test.rows:,}",
        *(f"{rate:.3f}" for rate in rates),
        f"{result.leak.unprotected.excess:.3f}",
        f"{worst.excess:.3f} (up to {worst.high:.3f})",
        f"{worst.candidates:,}",
        f"{manifest.minimizer}, beta {manifest.approximation_factor:g}",
    ]


def tables(asked: argparse.Namespace) -> Iterator[Table]:
    chosen = [
        kind
        for kind in KINDS
        if (asked.only is None or kind.name in asked.only)
        and (kind.needs is None or (asked.data and (asked.data / kind.needs).is_dir()))
    ]
    for name in dict.fromkeys(kind.name for kind in chosen):
        kinds = [kind for kind in chosen if kind.name == name]
        rows = [measured(kind, asked.data, asked.cache) for kind in kinds]
        note = f"Limit of re-identification {kinds[0].limit:g}; file, key and minimizer stolen."
        if kinds[0].accept is not None:
            note += " The risk was accepted: there are too few rows to tell."
        yield Table(f"kinds/{name}", TITLES[name], HEAD, rows, (kinds[0].data,), (SEED,), note)
    asks = asked.only is None or "ranking" in asked.only
    if asks and asked.data and (asked.data / "movielens").is_dir():
        yield ranking(asked.data, asked.cache)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME")
    asked = parser.parse_args()
    with threadpool_limits(1):
        hand_over(tables(asked), asked.tables)


if __name__ == "__main__":
    main()
