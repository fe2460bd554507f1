"""Paths from outside: into sources, through texts that models are given, to services of others."""

from collections.abc import Iterator

from cipherset.evidence.views.picture import Thing
from cipherset.evidence.views.threats.attackers import (
    CHUNKS,
    GUARD,
    PROMPTER,
    PROVIDER,
    SOURCE,
    Attacker,
)
from cipherset.evidence.views.threats.known import Known
from cipherset.evidence.views.threats.live import Live, stop
from cipherset.evidence.views.threats.path import Mitigation, Path

_RETIRED = "retired"
_CLEANED = ">sanitize"
_OFFERED = ">service"


def sources(live: Live, known: Known) -> Iterator[Path]:
    """Into each source that something was made of."""
    for source in live.sources:
        cleaned = None
        if _CLEANED in live.kinds.get(source.id, ()):
            cleaned = Mitigation("filter", "sanitize", "rows were looked at and treated before")
        yield _path(SOURCE, source, known, cleaned)


def chunks(live: Live, known: Known) -> Iterator[Path]:
    """Through each collection of texts that models are given as context."""
    for each in live.chunks:
        yield _path(CHUNKS, each, known)


def services(live: Live, known: Known) -> Iterator[Path]:
    """To each service of others that is not retired; one that nobody offered passes no guard."""
    for service in live.services:
        if service.standing == _RETIRED:
            continue
        is_relayed = _OFFERED in live.kinds.get(service.id, ())
        for attacker in (PROVIDER, PROMPTER):
            guarded = known.against(attacker) if is_relayed else ()
            yield Path(
                attacker,
                stop(service),
                (stop(service),),
                mitigations=guarded,
                **known.judged(attacker, [service.id, GUARD]),
            )


def _path(attacker: Attacker, thing: Thing, known: Known, *more: Mitigation | None) -> Path:
    return Path(
        attacker,
        stop(thing),
        (stop(thing),),
        mitigations=known.against(attacker, *more),
        **known.judged(attacker, [thing.id, GUARD]),
    )
