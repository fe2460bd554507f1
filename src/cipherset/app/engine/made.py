"""What takes long to make and holds no key: a worker keeps it from one part to the next."""

from collections.abc import Callable
from typing import TypeVar, cast

_Thing = TypeVar("_Thing")
Made = dict[tuple[str, ...], object]


def kept(made: Made, name: tuple[str, ...], make: Callable[[], _Thing]) -> _Thing:
    """The thing of that name, made if it is not there."""
    if name not in made:
        made[name] = make()
    return cast("_Thing", made[name])
