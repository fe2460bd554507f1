"""How much of what may be given away under each key is given away: a gauge for each version."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cipherset.evidence.views.desk.exports import Evidence, Export, exports
from cipherset.evidence.views.picture import Picture

_NOISY: Final = "pairs.noisy"
_NOISE_FREE: Final = "pairs.noise_free"


@dataclass(frozen=True, slots=True)
class Gauge:
    """One version of a key. ``cap`` is the lowest of its exports'; None where none binds.

    ``unmeasured`` exports have no finding, or a stale one: while there are any, no pair is given.
    """

    key: str
    name: str
    status: str
    purpose: str
    exports: int
    unmeasured: int
    rows: int
    noisy: int
    noise_free: int
    cap: int | None

    @property
    def share(self) -> float | None:
        """How much of the cap is used, 0 to 1; None where none binds."""
        if self.cap is None:
            return None
        return 1.0 if self.cap == 0 else min(self.noisy / self.cap, 1.0)


def gauges(picture: Picture) -> tuple[Gauge, ...]:
    """A gauge for each version of each key, by name."""
    by_key: dict[str, list[Export]] = {}
    for each in exports(picture):
        by_key.setdefault(each.key, []).append(each)
    used = {(each.kind, each.scope): each.used for each in picture.spent}
    found = []
    for key in picture.keys:
        scope = f"{key.key_id} v{key.version}"
        under = by_key.get(scope, [])
        found.append(
            Gauge(
                key=scope,
                name=key.name,
                status=key.status,
                purpose=key.purpose,
                exports=len(under),
                unmeasured=sum(e.evidence in {Evidence.NONE, Evidence.STALE} for e in under),
                rows=sum(each.rows or 0 for each in under),
                noisy=used.get((_NOISY, scope), 0),
                noise_free=used.get((_NOISE_FREE, scope), 0),
                cap=_lowest(under),
            )
        )
    return tuple(sorted(found, key=lambda gauge: gauge.key))


def _lowest(under: Iterable[Export]) -> int | None:
    caps = [each.pair_cap for each in under if each.pair_cap is not None]
    return min(caps) if caps else None
