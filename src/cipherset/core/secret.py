"""A handle on secret bytes that does not print, copy, compare, hash or pickle."""

from dataclasses import dataclass
from typing import Final, NoReturn, final

from cipherset.core.errors import InputError

SECRET_BYTES: Final = 32


@final
class Secret:
    """32 secret bytes behind a handle; ``reveal`` is the one word an audit has to grep for."""

    __slots__ = ("__value",)

    def __init__(self, value: bytes) -> None:
        """Take over ``value``.

        Raises:
            InputError: ``value`` is not exactly 32 bytes.
        """
        if not isinstance(value, bytes) or len(value) != SECRET_BYTES:
            raise InputError(
                f"a secret is exactly {SECRET_BYTES} bytes",
                code="secret_length",
                hint="pass 32 random bytes, or a key from the key ring",
            )
        self.__value = value

    def reveal(self) -> bytes:
        """The bytes; called in ``pipeline.encrypt`` and ``custody.keys`` only."""
        return self.__value

    def __repr__(self) -> str:
        return "Secret(...)"

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = None  # type: ignore[assignment]

    def __copy__(self) -> NoReturn:
        raise TypeError("a Secret is not copied")

    def __deepcopy__(self, memo: dict[int, object]) -> NoReturn:
        raise TypeError("a Secret is not copied")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")


@dataclass(frozen=True, slots=True, eq=False)
class KeyHandle:
    """One version of a key, opened: what it is called and a handle on its secret."""

    key_id: str
    version: int
    secret: Secret
