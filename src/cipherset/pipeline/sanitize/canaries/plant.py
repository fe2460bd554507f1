"""Canaries: rows with a made-up secret, planted among the others before a model is trained.

Whether the model knows the secrets tells what it does with the rows nobody planted. Canaries are
random for each dataset and kept sealed: whoever knows them can take them out, and whoever finds
one in an output knows where the model was trained.

Order rules: ``make``, ``keep`` sealed, ``plant`` after every filter and after sanitizing (a
filter takes repeated rows out, and a detector the secret); train; ``recall``, then ``exposure``.

Source: N. Carlini, C. Liu, Ú. Erlingsson, J. Kos and D. Song, "The Secret Sharer", USENIX
Security 2019, sections 4.1 and 5.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core import canonical
from cipherset.core.errors import InputError, IntegrityError, UsageError
from cipherset.core.files import disk_errors, write_atomic
from cipherset.core.protocols import Sealer

SLOT: Final = "{}"
_FEWEST_SECRETS: Final = 1000
_CONTEXT: Final = "canaries/1"
_MOST_CANARIES: Final = 10_000


@dataclass(frozen=True, slots=True)
class CanaryFormat:
    """``template`` with ``length`` characters of ``alphabet`` in its slot ``{}``.

    The secrets must be far more than the canaries, and unlike what the rows hold; a template in
    the manner of the rows is learned as they are.
    """

    template: str = "the access phrase for this account is {}"
    alphabet: str = "0123456789"
    length: int = 9

    def __post_init__(self) -> None:
        """Refuse what has no slot or hides too little.

        Raises:
            UsageError: ``canary_format``.
        """
        if self.template.count(SLOT) != 1:
            raise _bad_format("the template has one slot {}", "the code of this account is {}")
        if len(set(self.alphabet)) != len(self.alphabet) or len(self.alphabet) < 2:
            raise _bad_format("the alphabet has two characters or more, each once", "0123456789")
        if self.n_secrets < _FEWEST_SECRETS:
            raise _bad_format(
                f"there are {self.n_secrets} secrets of this length; a guess would do", "9 digits"
            )

    @property
    def n_secrets(self) -> int:
        """How many different secrets there are: ``|R|`` of the source."""
        return int(len(self.alphabet) ** max(self.length, 0))

    @property
    def prompt(self) -> str:
        """What stands before the secret."""
        return self.template.partition(SLOT)[0]

    def text(self, secret: str) -> str:
        """The row that holds ``secret``."""
        return self.template.replace(SLOT, secret)

    def secret(self, number: int) -> str:
        """Secret ``number`` of all, from 0 on."""
        letters = []
        for _ in range(self.length):
            number, place = divmod(number, len(self.alphabet))
            letters.append(self.alphabet[place])
        return "".join(reversed(letters))


def _bad_format(message: str, example: str) -> UsageError:
    return UsageError(message, code="canary_format", hint=f"for example: {example}")


@dataclass(frozen=True, slots=True)
class Canaries:
    """The secrets planted in one dataset, and how often each."""

    format: CanaryFormat
    repeats: int
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def texts(self) -> list[str]:
        """The rows that hold them, one per canary."""
        return [self.format.text(secret) for secret in self.secrets]

    @property
    def rows(self) -> list[str]:
        """Each text ``repeats`` times, in random order."""
        rows = self.texts * self.repeats
        secrets.SystemRandom().shuffle(rows)
        return rows


def make(n: int, *, repeats: int = 1, form: CanaryFormat | None = None) -> Canaries:
    """``n`` different canaries from the operating system's randomness.

    Raises:
        UsageError: ``canary_count``: not from 1 to 10,000, or more than a hundredth of all
            secrets, or repeated less than once.
    """
    form = form or CanaryFormat()
    if not 1 <= n <= min(_MOST_CANARIES, form.n_secrets // 100) or repeats < 1:
        raise UsageError(
            f"{n} canaries, {repeats} times each, of {form.n_secrets} possible ones",
            code="canary_count",
            hint=f"from 1 to {min(_MOST_CANARIES, form.n_secrets // 100)}, at least once each",
        )
    chosen: dict[str, None] = {}
    while len(chosen) < n:
        chosen[form.secret(secrets.randbelow(form.n_secrets))] = None
    return Canaries(form, repeats, tuple(chosen))


def places(n_rows: int, n_planted: int) -> npt.NDArray[np.int64]:
    """Where planted rows stand among ``n_rows + n_planted``: random, distinct, ascending."""
    chosen = secrets.SystemRandom().sample(range(n_rows + n_planted), n_planted)
    return np.array(sorted(chosen), dtype=np.int64)


def plant(texts: Iterable[str], canaries: Canaries, *, n_rows: int) -> Iterator[tuple[str, bool]]:
    """``texts``, of which there are ``n_rows``, with the canaries among them at random places.

    Yields each row and whether it is planted.

    Raises:
        InputError: ``canary_rows``: there are more or fewer texts than ``n_rows``.
    """
    planted = canaries.rows
    at = set(places(n_rows, len(planted)).tolist())
    source = iter(texts)
    for place in range(n_rows + len(planted)):
        if place in at:
            yield planted.pop(), True
            continue
        text = next(source, None)
        if text is None:
            raise _other_number(n_rows)
        yield text, False
    if next(source, None) is not None:
        raise _other_number(n_rows)


def _other_number(n_rows: int) -> InputError:
    return InputError(
        f"there are not {n_rows} rows to plant canaries among",
        code="canary_rows",
        hint="count the rows after filtering, then plant",
    )


def keep(path: Path, canaries: Canaries, sealer: Sealer, *, dataset: str) -> None:
    """Write the canaries of ``dataset`` to ``path``, sealed.

    Raises:
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    form = canaries.format
    raw = canonical.encode(
        {
            "alphabet": form.alphabet,
            "length": form.length,
            "repeats": canaries.repeats,
            "secrets": list(canaries.secrets),
            "template": form.template,
        }
    )
    write_atomic(path, sealer.seal(raw, context=f"{_CONTEXT}/{dataset}"))


def recall(path: Path, sealer: Sealer, *, dataset: str) -> Canaries:
    """What ``keep`` wrote.

    Raises:
        IntegrityError: ``sealed_missing``; ``unseal``: another key, dataset, or it was changed.
        BackendError: ``no_permission`` or ``disk``.
    """
    with disk_errors(path):
        try:
            sealed = path.read_bytes()
        except FileNotFoundError:
            raise IntegrityError(
                f"no canaries were kept at {path}",
                code="sealed_missing",
                hint="use the workspace in which they were planted",
            ) from None
    raw = sealer.unseal(sealed, context=f"{_CONTEXT}/{dataset}")
    kept = canonical.decode(raw, what="the kept canaries")
    form = CanaryFormat(kept["template"], kept["alphabet"], kept["length"])
    return Canaries(form, kept["repeats"], tuple(kept["secrets"]))


def found_in(text: str, canaries: Canaries) -> Sequence[int]:
    """The numbers of the canaries whose secret stands in ``text``, blanks and hyphens aside."""
    even = text.replace(" ", "").replace("-", "")
    return [number for number, secret in enumerate(canaries.secrets) if secret in even]
