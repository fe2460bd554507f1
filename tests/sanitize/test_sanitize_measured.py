"""Every detector that is on was measured as it is today."""

import pytest

from cipherset.pipeline.sanitize import default_rules
from cipherset.pipeline.sanitize.bench import (
    ALL,
    ENTITIES,
    Measured,
    Rate,
    all_measured,
    load_cases,
    measured,
    recall_of,
    score,
)
from cipherset.pipeline.sanitize.bench.measured import FEWEST, of_sets
from cipherset.pipeline.sanitize.detectors.adapters.together import NamesWithModel
from cipherset.pipeline.sanitize.detectors.prose import (
    names_detectors,
    secrecy_detectors,
    topic_detectors,
)
from cipherset.pipeline.sanitize.detectors.structured.payments import AmountDetector

EACH = (
    *default_rules().detectors,
    AmountDetector(),
    *names_detectors(),
    *topic_detectors(),
    *secrecy_detectors(),
)
DETECTORS = tuple({each.name: each for each in EACH}.values())
WITH_MODEL = "name lists, cues and spacy small model"
PLANTED = {span.entity for case in load_cases(split="test") for span in case.spans}


class Newer:
    """A detector of a version that nobody measured."""

    def __init__(self, detector):
        self.name = detector.name
        self.version = detector.version + "-next"
        self.entities = detector.entities


def test_every_detector_is_measured_in_its_version():
    """If this fails: ``python benchmarks/detect.py --data DIR --write``, and commit what it writes.

    DIR holds local copies of the sets; the files say which.
    """
    stale = [
        f"{detector.name} {detector.version}: {entity}"
        for detector in DETECTORS
        for entity in sorted(detector.entities & PLANTED)
        if measured(detector, entity) is None
    ]
    assert stale == []


def test_what_was_measured_is_of_a_version_that_is_there():
    """Lines of versions that are gone are taken out by the same command."""
    versions = {each.name: each.version for each in DETECTORS}
    gone = {(each.detector, each.version) for each in all_measured()} - set(versions.items())
    assert {name for name, _ in gone} <= {WITH_MODEL}


@pytest.mark.extra
def test_the_model_is_measured_in_its_version():
    model = NamesWithModel()
    assert model.name == WITH_MODEL
    assert [entity for entity in model.entities if measured(model, entity) is None] == []


def test_what_was_measured_makes_sense():
    for each in all_measured():
        assert each.entity in ENTITIES
        assert 0 <= each.recall.hits <= each.recall.n
        assert 0 <= each.precision.hits <= each.precision.n
        assert "dev" not in each.on


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda each: each.name)
def test_a_label_promises_the_least_that_was_seen(detector):
    """Of sets that are large enough to say something; the small ones count together."""
    recall = recall_of([detector])
    for entity in detector.entities & PLANTED:
        rates = [
            each.recall
            for each in all_measured()
            if (each.detector, each.entity) == (detector.name, entity)
        ]
        told = recall(detector.name, entity)
        assert told.value <= sum(rate.hits for rate in rates) / sum(rate.n for rate in rates)
        assert told.n >= min(FEWEST, sum(rate.n for rate in rates))
        assert f"recall {told.value:.2f} (" in measured(detector, entity).sentence()


@pytest.mark.parametrize(
    ("sets", "told"),
    [
        ([(90, 100), (40, 50)], (40, 50)),  # the least of the large ones
        ([(90, 100), (2, 8)], (92, 108)),  # a small one speaks with the least of the large
        ([(99, 100), (80, 100), (1, 8), (3, 9)], (84, 117)),
        ([(90, 100), (10, 30), (20, 30)], (30, 60)),  # small ones that are enough together
        ([(1, 4), (2, 5)], (3, 9)),  # all there is
        ([(60, 60)], (60, 60)),
    ],
)
def test_small_sets_count_together(sets, told):
    lines = [
        Measured("some", "1", "CARD", f"set {n}", Rate(*rate), Rate(*rate))
        for n, rate in enumerate(sets)
    ]
    assert of_sets(lines).recall == Rate(*told)
    assert of_sets([]) is None


def test_the_recall_of_one_version_is_not_that_of_another():
    newer = Newer(DETECTORS[0])
    (entity,) = sorted(newer.entities)[:1]
    assert measured(newer, entity) is None
    assert recall_of([newer])(newer.name, entity) is None
    assert recall_of(DETECTORS)("nobody", entity) is None


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda each: each.name)
def test_the_shipped_cases_score_today_as_they_did(detector):
    """If this fails, what the detector finds has changed: give it a new version and measure it."""
    cases = load_cases(split="test")
    today = {
        each.entity: (each.recall, each.precision)
        for each in score([detector], cases, entities=detector.entities)
        if each.entity != ALL
    }
    told = {
        each.entity: (each.recall, each.precision)
        for each in all_measured()
        if each.detector == detector.name and each.on.startswith("the cases that come with")
    }
    assert {entity: today[entity] for entity in told} == told
