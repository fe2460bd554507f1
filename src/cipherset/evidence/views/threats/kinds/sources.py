"""Paths from outside: into sources, through texts that models are given, to services of others."""

from collections import defaultdict
from collections.abc import Iterator

from cipherset.evidence.views.picture import Thing
from cipherset.evidence.views.threats.attackers import (
    CHUNKS,
    CREDENTIAL,
    GUARD,
    LIBRARY,
    PROMPTER,
    PROVIDER,
    SOURCE,
    TOOL,
    Attacker,
)
from cipherset.evidence.views.threats.known import Known
from cipherset.evidence.views.threats.live import SEEN_AS, Live, stop
from cipherset.evidence.views.threats.path import Mitigation, Path, Stop

_RETIRED = "retired"
_LIBRARY = "library"
# Whom to reckon with, by what a service is seen as.
_OF_ANY = (PROVIDER, PROMPTER)
_AGAINST = {
    "agent": (TOOL,),
    "key": (CREDENTIAL,),
    _LIBRARY: (),
    "mcp": (TOOL,),
    "sdk": (PROVIDER,),
    "server": (PROMPTER,),
}
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
    """To what others provide, by what it is seen as; one that was offered here is relayed."""
    for service in live.services:
        if service.standing == _RETIRED:
            continue
        for attacker in _AGAINST.get(str(service.attributes.get(SEEN_AS)), _OF_ANY):
            if _OFFERED in live.kinds.get(service.id, ()):
                yield _path(attacker, service, known)
            else:  # nothing of ours is in between
                judged = known.judged(attacker, [service.id])
                yield Path(attacker, stop(service), (stop(service),), **judged)


def libraries(live: Live, known: Known) -> Iterator[Path]:
    """From each library that is seen anywhere, to every place where it is."""
    seen: defaultdict[str, list[Thing]] = defaultdict(list)
    for each in live.services:
        if each.attributes.get(SEEN_AS) == _LIBRARY and each.standing != _RETIRED:
            seen[str(each.attributes.get("what", each.name))].append(each)
    for name, places in sorted(seen.items()):
        steps = tuple(stop(each) for each in places)
        asset = Stop(_LIBRARY, name, name)
        yield Path(LIBRARY, asset, steps, mitigations=known.against(LIBRARY))


def _path(attacker: Attacker, thing: Thing, known: Known, *more: Mitigation | None) -> Path:
    return Path(
        attacker,
        stop(thing),
        (stop(thing),),
        mitigations=known.against(attacker, *more),
        **known.judged(attacker, [thing.id, GUARD]),
    )
