"""What detectors find in a text, whatever is drawn as nothing between its characters.

They look at the text as it stands and, where it holds such characters, at the text without them:
a value is found whether they stand inside it or set it apart.
"""

from collections.abc import Iterator

from cipherset.core.protocols import Detector
from cipherset.core.values import Span
from cipherset.guard.outputs.segments import drawn


def spans_of(detector: Detector, text: str) -> Iterator[Span]:
    """The spans of ``text``, in any order; they may overlap, and hold what is not drawn."""
    yield from detector.detect([text])[0]
    places = drawn(text)
    if len(places) == len(text):
        return
    view = "".join(text[place] for place in places)
    places.append(len(text))
    for span in detector.detect([view])[0]:
        if span.end > span.start:
            yield Span(places[span.start], places[span.end], span.entity)
