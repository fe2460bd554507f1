"""Paths to encrypted rows: files, indexes, keys, encoders."""

from collections import defaultdict
from collections.abc import Iterator

from cipherset.evidence.views.picture import Key, Thing
from cipherset.evidence.views.threats.attackers import (
    ENCODER,
    FILE,
    FILE_AND_KEY,
    INDEX,
    LAB,
    Attacker,
)
from cipherset.evidence.views.threats.known import Known
from cipherset.evidence.views.threats.live import Live, key_stop, stop
from cipherset.evidence.views.threats.path import Mitigation, Path, Stop

# Providers that hand out no key: it is wrapped by one that cannot be read out of them.
_KEPT = ("pkcs11", "awskms", "hcvault")


def exports(live: Live, known: Known) -> Iterator[Path]:
    """To each export: with the file, with its labels, with the key."""
    for export in live.exports:
        for attacker in (FILE, LAB):
            yield _path(attacker, export, (stop(export),), known, known.exported.get(export.id))
        key = live.key_of(export)
        if key is not None:
            steps = (key_stop(key), stop(export))
            measured = known.exported.get(export.id)
            yield _path(FILE_AND_KEY, export, steps, known, kept(key), measured)


def indexes(live: Live, known: Known) -> Iterator[Path]:
    """To each encrypted index."""
    for index in live.indexes:
        yield _path(INDEX, index, (stop(index),), known)


def encoders(live: Live, known: Known) -> Iterator[Path]:
    """Through each encoder that vectors of exports are from."""
    by_encoder: defaultdict[str, list[Thing]] = defaultdict(list)
    for export in live.exports:
        if export.id in known.encoders:
            by_encoder[known.encoders[export.id]].append(export)
    for digest, made in sorted(by_encoder.items()):
        asset = Stop("encoder", digest, f"encoder {digest[:19]}")
        steps = (asset, *(stop(each) for each in made))
        yield Path(ENCODER, asset, steps, mitigations=known.against(ENCODER))


def kept(key: Key) -> Mitigation | None:
    """What a provider of keys stands for; a key in a file stands for nothing."""
    if not key.provider.startswith(_KEPT):
        return None
    return Mitigation("key provider", key.provider, "the key that wraps it cannot be read out")


def _path(
    attacker: Attacker,
    thing: Thing,
    steps: tuple[Stop, ...],
    known: Known,
    *mitigations: Mitigation | None,
) -> Path:
    return Path(
        attacker,
        stop(thing),
        steps,
        mitigations=known.against(attacker, *mitigations),
        **known.judged(attacker, [thing.id]),
    )
