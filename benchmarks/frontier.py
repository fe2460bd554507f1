"""The frontier with its three axes: what exports are worth, give away, and add.

Usage: python benchmarks/frontier.py --data DIR [--seed 0] [--cache DIR] [--workers 2]

DIR holds the folders banking77, airline_support_tweets and goemotions_group; a set that is not
there is left out. Film reviews are those of the demo. All on noise-free queries.

worth      fitted on all training rows, which are exported; as the minimizer puts them, with the
           most exposed held under ten times a limit (1 % up to ten classes, 5 % beyond), and with
           every row on the anchor of its label. Re-identification is the label-aware excess:
           with file, key and minimizer stolen the stronger of two attacks; with the key safe,
           whoever has labeled public text fits a minimizer of his own, turns the ciphertexts so
           that the class means meet, and takes the nearest.
attribute  what an export of 7 classes tells of the 77 intents beyond its label, to an attacker
           with key, minimizer and 4,000 public rows; the best of five attacks counts.
gain       few labeled rows at the owner's, the others exported: accuracy over the better of the
           owner's model and the label-anchor control, beside training at the gate.
"""

import argparse
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from banking77 import Codes
from frontier_gain import GAIN_HEAD, gain
from frontier_tasks import Labeled, part, protection, tasks
from scipy.linalg import orthogonal_procrustes
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from tables import REVIEWS, Table, arguments, hand_over, local
from threadpoolctl import threadpool_limits

from cipherset.app.exports.calibrate import Setting
from cipherset.app.exports.fitting import hold_exposed
from cipherset.app.exports.leak import first, measure_exposure, measure_reid
from cipherset.app.exports.utility import Part, Protection, Rows, measure
from cipherset.core.manifest import Task
from cipherset.core.values import Float32s, NoiseLaw
from cipherset.evidence.attack import Interval, paired_bootstrap, reidentify
from cipherset.pipeline.minimize import (
    FittedMinimizer,
    class_anchors,
    class_means,
    fit,
    parse_spec,
)

WORTH_HEAD = (
    "task", "export", "rows", "plain", "on the export", "points to plain", "gain, points (95 %)",
    "re-id excess, all stolen, %", "key safe, %", "most exposed 1 %, excess",
    "moved of train / test, %",
)  # fmt: skip
ATTRIBUTE_HEAD = ("export", "rows", "advantage over the label, points (95 %)")
SOURCES = (
    local("BANKING77 (classes and numbers)"),
    local("airline tweets"),
    local("GoEmotions"),
    REVIEWS,
)
Lines = list[tuple[str, ...]]
# What an attribute must be told from, or the attack is too weak.
WEAK = (Setting("bottleneck:6", 4, shrink=0.0), Setting("pca:32", 2))


def placings(
    shield: Protection, rows: Rows, test: Rows, limit: float
) -> Iterator[tuple[str, Protection]]:
    """The same export under three rules, or under none where labels are numbers."""
    yield "as fitted", shield
    if shield.task is Task.CLASSIFICATION:
        yield f"held, limit {limit:g}", hold_exposed(shield, rows, test, max_reid=limit)
        anchors = class_anchors(shield.minimizer, rows.x, rows.y)
        whole = shield.minimizer.anchored(anchors, beyond=0.0)
        yield "all on anchors", replace(shield, minimizer=whole)


def key_safe(shield: Protection, surrogate: FittedMinimizer, test: Part) -> float:
    """Excess of nearest neighbor after turning class means of own vectors onto the ciphertexts'.

    The key is taken off, which changes nothing: a turn is what the attacker looks for anyway.
    """
    values = shield.cipher.remove_key(test.ciphertexts)
    own = surrogate.transform(test.rows.x)
    codes = np.unique(test.rows.y, return_inverse=True)[1]
    turn, _ = orthogonal_procrustes(class_means(own, codes), class_means(values, codes))
    told = reidentify(
        values,
        (own @ turn).astype(np.float32),
        truth=np.arange(len(own)),
        ciphertext_groups=test.rows.clear,
        candidate_groups=test.rows.clear,
        noise=NoiseLaw.ball(10.0),
    )
    return told.excess_nearest


def points(value: float, low: float, high: float) -> str:
    return f"{100 * value:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def worth(task: Labeled, seed: int) -> Lines:
    """Lines of the first table."""
    public, train, test = (task.rows(rows) for rows in task.split(seed))
    lines = []
    for setting in task.settings:
        made, spec = setting.fit_settings(seed), parse_spec(setting.minimizer)
        minimizer = fit(spec, train.x, train.y, settings=made)
        surrogate = fit(spec, public.x, public.y, settings=made)
        shield = protection(minimizer, setting.approximation_factor, task.kind)
        for name, ruled in placings(shield, train, test, task.limit):
            measured = _measured(ruled, surrogate, (train, test), seed)
            export = f"{setting.minimizer}, beta {setting.approximation_factor:g}"
            lines.append((task.name, export, name, *measured))
    return lines


def _measured(
    ruled: Protection, surrogate: FittedMinimizer, rows: tuple[Rows, Rows], seed: int
) -> tuple[str, ...]:
    train, test = rows
    used = measure(ruled, part(ruled, train), test, seed=seed)
    some = first(part(ruled, test), seed)
    told, exposed = measure_reid(ruled, some), measure_exposure(ruled, some.rows)
    safe = key_safe(ruled, surrogate, some) if ruled.task is Task.CLASSIFICATION else np.nan
    moved = [100 * ruled.minimizer.place(r.x, r.y).moved.mean() for r in rows]
    return (
        f"{used.plain:.3f}",
        f"{used.encrypted:.3f}",
        f"{100 * (used.encrypted - used.plain):+.1f}",
        points(used.gain.value, used.gain.low, used.gain.high),
        f"{100 * told.excess:.2f} (to {100 * told.high:.2f})",
        "–" if np.isnan(safe) else f"{100 * safe:.2f}",
        f"{exposed.top_excess:.2f}",
        f"{moved[0]:.1f} / {moved[1]:.1f}",
    )


def attribute(task: Labeled, hidden: Codes, seed: int) -> Lines:
    """Advantage over the label at telling ``hidden``, an attribute that was not exported."""
    public, train, test = task.split(seed)
    rows, held = task.rows(train), task.rows(test)
    lines = []
    for setting in (*task.settings, *WEAK):
        made = setting.fit_settings(seed)
        minimizer = fit(parse_spec(setting.minimizer), rows.x, rows.y, settings=made)
        shield = protection(minimizer, setting.approximation_factor, task.kind)
        for name, ruled in placings(shield, rows, held, task.limit):
            best = _advantage(ruled, task, hidden, (public, test), seed)
            shrunk = "" if setting.shrink else ", shrink 0"
            export = f"{setting.minimizer}{shrunk}, beta {setting.approximation_factor:g}"
            lines.append((export, name, points(best.value, best.low, best.high)))
    return lines


def _advantage(
    shield: Protection, task: Labeled, hidden: Codes, parts: tuple[Codes, Codes], seed: int
) -> Interval:
    """The most that one of five attacks adds to what the label tells, the best one known."""
    public, test = parts
    codes = np.unique(task.y, return_inverse=True)[1]
    public_label, label = (np.eye(codes.max() + 1, dtype=np.float32)[codes[r]] for r in parts)
    alone = LogisticRegression(C=10, max_iter=500).fit(public_label, hidden[public])
    right_alone = alone.predict(label) == hidden[test]
    target = shield.cipher.remove_key(shield.export(task.x[test], task.y[test]))
    clean = shield.minimized(task.x[public], task.y[public])
    found = []
    for own in (clean, shield.cipher.remove_key(shield.cipher.encrypt(clean))):
        for model in (
            LogisticRegression(C=1, max_iter=300),
            HistGradientBoostingClassifier(max_iter=15, max_leaf_nodes=8, random_state=seed),
        ):
            model.fit(np.hstack([own, public_label]), hidden[public])
            right = model.predict(np.hstack([target, label])) == hidden[test]
            found.append(paired_bootstrap(right, right_alone, seed=seed))
    voted = _vote(clean, target, (public, test), task, hidden, shield.cipher.noise_radius)
    found.append(paired_bootstrap(voted == hidden[test], right_alone, seed=seed))
    return max(found, key=lambda one: one.value)


def _vote(
    own: Float32s, target: Float32s, parts: tuple[Codes, Codes], task: Labeled, hidden: Codes,
    radius: float,
) -> Codes:  # fmt: skip
    """Of the own rows of a target's label that the noise leaves possible, the most frequent value.

    Where none is possible, or for ties, the label's most frequent one.
    """
    public, test = parts
    votes = np.zeros((len(test), int(hidden.max()) + 1))
    for label in np.unique(task.y[test]):
        mine, theirs = task.y[public] == label, np.flatnonzero(task.y[test] == label)
        values = np.eye(votes.shape[1])[hidden[public[mine]]]
        apart = np.linalg.norm(target[theirs][:, np.newaxis] - own[mine][np.newaxis], axis=2)
        votes[theirs] = (apart <= radius * 1.0001) @ values + 1e-6 * values.sum(axis=0)
    return votes.argmax(axis=1)


def on_one_thread(line: Callable[..., Lines], *asked: object) -> Lines:
    with threadpool_limits(1):
        return line(*asked)


def tables(asked: argparse.Namespace) -> Iterator[Table]:
    found = tasks(asked.data, asked.cache)
    with ProcessPoolExecutor(asked.workers) as pool:
        worths = [pool.submit(on_one_thread, worth, task, asked.seed) for task in found]
        coarse, intents = found[0], np.asarray(found[1].y, dtype=np.int64)
        told = pool.submit(on_one_thread, attribute, coarse, intents, asked.seed)
        gains = [
            pool.submit(on_one_thread, gain, task, share, asked.seed)
            for task in found
            for share in task.shares
        ]
        for name, title, head, jobs, sources in (
            ("worth", "Worth and leak", WORTH_HEAD, worths, SOURCES),
            ("attribute", "77 intents from an export of 7 classes", ATTRIBUTE_HEAD, [told],
             SOURCES[:1]),
            ("gain", "The most that is gained below each leak", GAIN_HEAD, gains, SOURCES[:1]),
        ):  # fmt: skip
            rows = [cells for job in jobs for cells in job.result()]
            yield Table(f"frontier/{name}", title, head, rows, sources, (asked.seed,))


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the sets' folders")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    hand_over(tables(asked), asked.tables)


if __name__ == "__main__":
    main()
