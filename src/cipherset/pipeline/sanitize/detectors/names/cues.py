"""Words that tell of a name beside them; ``data/cues.txt`` says of each list what it is for."""

from typing import Final

from cipherset.pipeline.sanitize.detectors.shipped import cues

TITLES: Final = cues("titles")
CAPITAL_TITLES: Final = cues("capital_titles")
INTRODUCTIONS: Final = cues("introductions")
LOOSE_INTRODUCTIONS: Final = cues("loose_introductions")
OUTRIGHT_INTRODUCTIONS: Final = cues("outright_introductions")
RELATIVES: Final = cues("relatives")
GREETINGS: Final = cues("greetings")
LOOSE_GREETINGS: Final = cues("loose_greetings")
LABELS: Final = cues("labels")
LOOSE_LABELS: Final = cues("loose_labels")
FIRM_LABELS: Final = cues("firm_labels")
NAME_PARTS: Final = cues("name_parts")
SPEECH: Final = cues("speech")
PARTICLES: Final = cues("particles")
ABBREVIATED: Final = cues("abbreviated")
PLACE_BEFORE: Final = cues("place_before")
OTHER_AFTER: Final = cues("other_after")
SURNAMES_TOO: Final = cues("surnames_too")
ILLNESSES: Final = cues("illnesses")
STREETS: Final = cues("streets")
STATES: Final = cues("states")
NOT_ALONE: Final = cues("not_alone")
BRANDS: Final = frozenset(tuple(brand.split()) for brand in cues("brands"))
NO_INITIALS: Final = frozenset(tuple(pair.split()) for pair in cues("no_initials"))
NO_INITIAL_BEFORE: Final = cues("no_initial_before")

# None of these is a name by itself.
WORDS: Final = TITLES | RELATIVES | GREETINGS | LABELS | SPEECH | OTHER_AFTER | STREETS
