"""Every path there is, in one order that depends on nothing but the paths."""

from cipherset.evidence.views.picture import Picture
from cipherset.evidence.views.threats.kinds import exports, models, people, sources
from cipherset.evidence.views.threats.known import Known
from cipherset.evidence.views.threats.live import live
from cipherset.evidence.views.threats.path import Path

_KINDS = (
    people.alone,
    people.both_sides,
    people.insiders,
    exports.exports,
    exports.indexes,
    exports.encoders,
    models.models,
    sources.sources,
    sources.chunks,
    sources.services,
    sources.libraries,
)


def paths(picture: Picture, known: Known) -> tuple[Path, ...]:
    """The paths over what is in the picture; there is none to what is not there.

    The work grows with the assets, the runs and the grants, and for each principal who holds a
    grant on encrypted rows with what came of the plain rows that they may read.
    """
    there = live(picture)
    return tuple(path for kind in _KINDS for path in kind(there, known))
