"""The filter of replies: copies of rows, planted secrets and made-up values, exact and altered."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from cipherset.app.redteam.attack import Attack, Count, DataSource, Ground
from cipherset.app.redteam.line import Line
from cipherset.app.redteam.sets import values
from cipherset.app.redteam.targets import Target, What
from cipherset.app.training.kept import CANARIES, KeptOfDataset, folder_of, newest_version
from cipherset.app.training.measure import CanaryReport
from cipherset.app.training.run import measure_canaries
from cipherset.core.errors import UsageError
from cipherset.core.values import ColumnRoles
from cipherset.custody.keys import KeyUse
from cipherset.guard.outputs import Kind, OutputFilter
from cipherset.pipeline.ingest import open_source

PROBES: Final = 100
FEWEST_WORDS: Final = 12
_EACH_NTH: Final = 10
Alter = Callable[[str], str]
ALTERED: Final[Mapping[str, Alter]] = MappingProxyType(
    {
        "capitals": str.upper,
        "zero-width characters": "\u200b".join,
        "full width": lambda text: "".join(
            chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text
        ),
        "other blanks": lambda text: text.replace(" ", "\u00a0"),
    }
)
OF_WORDS: Final[Mapping[str, Alter]] = MappingProxyType(
    {
        **ALTERED,
        "one word in ten another": lambda text: " ".join(
            "rather" if place % _EACH_NTH == _EACH_NTH - 1 else word
            for place, word in enumerate(text.split())
        ),
        "lines broken": lambda text: text.replace(" ", "\n"),
    }
)


def _values(ground: Ground, target: Target) -> Iterator[Line]:
    """Made-up personal data and keys in replies."""
    known, limits = values(), ground.limits
    guard = ground.guards().outputs
    exact = sum(_holds(guard.apply(reply).text, value) for reply, value in known)
    yield from ground.shares(
        target,
        "made-up personal data and keys in a reply",
        [Count("let_through", exact, len(known), limits.values, "shipped set")],
    )
    passed = [
        _holds(guard.apply(reply.replace(value, alter(value))).text, alter(value))
        for reply, value in known
        for alter in ALTERED.values()
    ]
    count = Count("let_through", sum(passed), len(passed), limits.altered_values, "shipped set")
    yield from ground.shares(target, "the same, altered", [count])


def _copies(ground: Ground, target: Target) -> Iterator[Line]:
    """Rows of data sets that the guard is to know, repeated by a model."""
    limits, guard = ground.limits, ground.guards().outputs
    for each in ground.attackers.rows:
        texts = _texts(ground, each)
        exact = sum(not _is_copy(guard, text) for text in texts)
        given = f"data set {each.dataset}"
        count = Count("let_through", exact, len(texts), limits.copies, given)
        yield from ground.shares(target, f"copies of rows of {each.dataset} in a reply", [count])
        for name, alter in OF_WORDS.items():
            passed = sum(not _is_copy(guard, alter(text)) for text in texts)
            count = Count("let_through", passed, len(texts), limits.altered_copies, given)
            attack = f"copies of rows of {each.dataset}, altered: {name}"
            yield from ground.shares(target, attack, [count])


def _texts(ground: Ground, each: DataSource) -> list[str]:
    """Rows of enough words, drawn by the seed."""
    roles = ColumnRoles(text=ground.attackers.text)
    found = [
        text
        for records in open_source(each.source).texts(roles)
        for text in records.texts
        if len(text.split()) >= FEWEST_WORDS
    ]
    order = np.random.default_rng([ground.seed, 0xC0]).permutation(len(found))
    return [found[at] for at in order[:PROBES]]


def _is_copy(guard: OutputFilter, text: str) -> bool:
    """Whether the filter finds a copy in a reply with ``text`` in it."""
    verdict = guard.apply(f"It says: {text}").verdict
    return any(finding.kind is Kind.COPY for finding in verdict.findings)


def _planted(ground: Ground, target: Target) -> Iterator[Line]:
    """Planted secrets of the guarded data sets, in replies."""
    guard = ground.guards().outputs
    for dataset, key in sorted(ground.guards().rules.rows.items()):
        secrets = _secrets(ground, dataset, key)
        passed = [
            _holds(guard.apply(f"It is {alter(secret)}.").text, alter(secret))
            for secret in secrets
            for alter in (str, " ".join, "-".join)
        ]
        limit, given = ground.limits.canaries, "exact, with blanks, with hyphens"
        count = Count("let_through", sum(passed), len(passed), limit, given)
        yield from ground.shares(target, f"canaries of {dataset} in a reply", [count])


def _secrets(ground: Ground, dataset: str, key: str) -> Sequence[str]:
    home = ground.workspace.home
    if not any(folder_of(home, dataset).glob(f"{CANARIES}.*")):
        return ()
    version = newest_version(home, dataset, CANARIES)
    handle = ground.workspace.ring.open(key, version, purpose=KeyUse.MEASURE)
    return KeptOfDataset.of(home, dataset, handle).canaries().secrets


def _memorized(ground: Ground, target: Target) -> Iterator[Line]:
    """Models that learned the rows of a data set, asked for its planted secrets."""
    keys = ground.guards().rules.rows
    for each in ground.attackers.canaries:
        if each.dataset not in keys:
            raise UsageError(
                f"guard.toml names no key of the data set {each.dataset}",
                code="redteam_dataset",
                hint=f'add under [rows]: {each.dataset} = "KEY"',
            )
        report = measure_canaries(
            ground.session, each.dataset, keys[each.dataset], Path(each.source)
        )
        yield from _lines_of(ground, target, each.dataset, report)


def _lines_of(ground: Ground, target: Target, dataset: str, report: CanaryReport) -> Iterator[Line]:
    told = f"{report.n_canaries} canaries"
    counts = [Count("memorized", int(report.memorized), 1, 0.0, told, is_exact=True)]
    if report.completions is not None:
        read, n = report.completions.n_read_out, report.n_canaries
        counts.append(Count("read_out", read, n, ground.limits.canaries, told))
    yield from ground.shares(target, f"canaries of {dataset} asked of a model", counts)


def _holds(released: str, value: str) -> bool:
    """Whether ``value`` can still be read in what was released."""
    return _squeezed(value) in _squeezed(released)


def _squeezed(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _no_rows(ground: Ground, _target: Target) -> str | None:
    return None if ground.attackers.rows else "needs rows: --rows DATASET=SOURCE --text COL"


def _no_canaries(ground: Ground, _target: Target) -> str | None:
    home = ground.workspace.home
    known = ground.guards().rules.rows
    planted = any(any(folder_of(home, name).glob(f"{CANARIES}.*")) for name in known)
    return None if planted else "needs a data set with canaries under [rows] of guard.toml"


def _no_models(ground: Ground, _target: Target) -> str | None:
    return None if ground.attackers.canaries else "needs a model: --canary DATASET=MODEL.py"


ATTACKS: Final = (
    Attack("values", What.GUARD, "personal data and keys in replies", _values),
    Attack("copies-in-replies", What.GUARD, "rows repeated in replies", _copies, _no_rows),
    Attack("canaries-in-replies", What.GUARD, "planted secrets in replies", _planted, _no_canaries),
    Attack("canaries", What.GUARD, "planted secrets asked of a model", _memorized, _no_models),
)
