"""``detokenize``: the way back from sealed tokens, through the gate and never around it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from cipherset.app.gate import Act, Action, Fact
from cipherset.app.gate.about import about_key
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import InputError
from cipherset.core.files import disk_errors
from cipherset.custody.keys import KeyInfo, KeyUse, Pseudonyms
from cipherset.pipeline.sanitize import restored

MOST_BYTES: Final = 1 << 26


@dataclass(frozen=True, slots=True)
class Detokenized:
    """A text as it was, and how many sealed tokens were in it."""

    text: str = field(repr=False)
    tokens: int
    key_id: str


def detokenize(session: Session, key: str, text: str) -> Detokenized:
    """``text`` with each sealed token opened; that it was done, and how many, is recorded.

    Leaks: the values, to whoever asks: the gate decides who may.

    Raises:
        IntegrityError: ``token_unseal``: a token is another key's, or was changed.
        KeyAccessError: there is no such key, or not the version that a token names.
        PolicyError: the key may not be used here.
    """
    with (
        open_workspace(session) as workspace,
        _asking(workspace, key) as (act, info),
    ):

        @cache
        def opened(version: int) -> Pseudonyms:
            return Pseudonyms(workspace.ring.open(info.key_id, version, purpose=KeyUse.QUERY))

        plain, count = restored(text, opened)
        act.facts["tokens"] = count
    return Detokenized(plain, count, info.key_id)


@contextmanager
def _asking(workspace: Workspace, key: str) -> Iterator[tuple[Act, KeyInfo]]:
    info = workspace.ring.get(key)
    facts: dict[str, Fact] = {"key": info.name, "key_id": info.key_id}
    about = about_key(info)
    with workspace.gate.act(Action.DETOKENIZE, info.name, facts, about=about) as act:
        act.facts["key_id"] = info.key_id
        yield act, info


def text_or_file(given: str) -> str:
    """The text of the file of that name, or ``given`` itself where there is none.

    Raises:
        InputError: ``source_encoding``; ``text_too_large``.
        BackendError: the file cannot be read.
    """
    path = _file(given)
    if path is None:
        return given
    with disk_errors(path), path.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise InputError(
            f"{path}: more than {MOST_BYTES} bytes",
            code="text_too_large",
            hint="detokenize it in parts",
        )
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise InputError(
            f"{path}: not valid UTF-8", code="source_encoding", hint="give a text file"
        ) from None


def _file(given: str) -> Path | None:
    try:
        return Path(given) if Path(given).is_file() else None
    except (OSError, ValueError):  # too long for a name, or with a zero byte
        return None
