"""Whether these persons are enough: so many of each role, and nobody counted twice."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from cipherset.custody.policy.vocabulary import Role

_FREE: Final = -1


def lacking(
    persons: Mapping[str, frozenset[Role]], needed: Mapping[Role, int]
) -> Mapping[Role, int]:
    """The places in ``needed`` that ``persons`` (name to roles) leave open; empty if none.

    Each person fills one place, whatever roles they have: a bipartite matching by augmenting paths,
    so that as few places as can be are left open.
    Source: H. W. Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics
    Quarterly 2 (1955), section 2 (simple assignment).
    """
    places = [role for role, count in sorted(needed.items()) for _ in range(count)]
    names = sorted(persons)
    place_of = dict.fromkeys(names, _FREE)

    def is_seated(place: int, tried: set[str]) -> bool:
        for name in names:
            if places[place] in persons[name] and name not in tried:
                tried.add(name)
                if place_of[name] == _FREE or is_seated(place_of[name], tried):
                    place_of[name] = place
                    return True
        return False

    return Counter(role for place, role in enumerate(places) if not is_seated(place, set()))
