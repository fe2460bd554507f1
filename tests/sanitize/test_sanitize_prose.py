"""Places, organizations, topics, marks, code: known answers and near misses."""

import pyarrow as pa
import pytest

from cipherset.core.values import Records
from cipherset.pipeline.sanitize import SanitizeRules, sanitize
from cipherset.pipeline.sanitize.detectors.content.code import CodeDetector
from cipherset.pipeline.sanitize.detectors.content.confidential import ConfidentialDetector
from cipherset.pipeline.sanitize.detectors.content.topics import TopicDetector
from cipherset.pipeline.sanitize.detectors.names.organizations import OrganizationDetector
from cipherset.pipeline.sanitize.detectors.names.places import PlaceDetector
from cipherset.pipeline.sanitize.detectors.prose import (
    names_detectors,
    secrecy_detectors,
    topic_detectors,
)

PLACES = {
    "She lives in Seattle with her dog": ["Seattle"],
    "a trip to New York City and Kuala Lumpur": ["New York City", "Kuala Lumpur"],
    "moved from germany to london": ["germany", "london"],
    "Our office in Austin, TX is closed": ["Austin, TX"],
    "born in Patchogue": ["Patchogue"],
    "city: Vordingborg": ["Vordingborg"],
    "in the US and the UAE": [],
    "I live in the US; he moved to the UAE": ["US", "UAE"],
    "Orange County, Lake Tahoe": ["Orange County", "Lake Tahoe"],
    "Meet Jordan and Paris Hilton": [],
    "a nice reading of the orange mobile": [],
    "contact us, MEET US THERE": [],
    "University of Houston": ["Houston"],
}
ORGANIZATIONS = {
    "I work at Hooli and she works for Stark Labs": ["Hooli", "Stark Labs"],
    "GMW Ltd. and Acme Widgets, Inc. merged": ["GMW Ltd.", "Acme Widgets, Inc."],
    "at the University of Leeds": ["University of Leeds"],
    "the Purdy Correctional Institute": ["Purdy Correctional Institute"],
    "Employer: Massive Dynamic\n": ["Massive Dynamic"],
    "Siemens AG, on behalf of Deutsche Bank": ["Siemens AG", "Deutsche Bank"],
    "my bank, your hospital, the company": [],
    "Customer Support Group": [],
    "Provider: Anna Smith\n": [],
    "LEXA WILL ROAD TRIP TO SA": [],
}
TOPICS = {
    "I was diagnosed with type 2 diabetes last year": {"HEALTH"},
    "the doctor saw a patient": {"HEALTH"},
    "a case of tonsillitis, so no metoprolol": {"HEALTH"},
    "She is a practicing Muslim": {"RELIGION"},
    "Registered Democrat, voted for Biden": {"POLITICS"},
    "The caller is a 34-year-old Hispanic female": {"ETHNICITY"},
    "came out as gay to his parents": {"SEXUALITY"},
    "a union member, shop steward at the plant": {"UNION"},
    "iris scan and fingerprint record stored": {"BIOMETRIC"},
    "DNA test shows a BRCA1 mutation": {"GENETIC"},
    "Pleaded guilty to a felony and served time": {"CRIMINAL"},
    "My salary is 45,000 a year and I'm in debt": {"FINANCIAL"},
    "GET /health returns 200; the health check endpoint failed": set(),
    "SELECT a FROM b UNION JOIN c; use union all": set(),
    "be patient with me": set(),
    "ssh key fingerprint SHA256 mismatch": set(),
    "a conservative estimate of the third party": set(),
    "race condition in the scheduler": set(),
    "Virus scan found an infected file": set(),
    "Please open a Western Union transfer to my credit union": set(),
    "oh my god, thank god, holy cow": set(),
    "My card was charged with a fee": set(),
    "academia, osmosis and a prognosis": set(),
    "one doctor " + "and so on " * 60 + "one patient": set(),
}
MARKS = {
    "CONFIDENTIAL": ["CONFIDENTIAL"],
    "*** Confidential - Internal Use Only ***": ["Confidential - Internal Use Only"],
    "Classification: Restricted": ["Restricted"],
    "[INTERNAL] roadmap": ["INTERNAL"],
    "CONFIDENTIAL: merger plan": ["CONFIDENTIAL"],
    "This document is strictly confidential.": ["document is strictly confidential"],
    "attorney-client privileged": ["attorney-client privileged"],
    "shared under NDA": ["under NDA"],
    "TLP:AMBER+STRICT": ["TLP:AMBER+STRICT"],
    "This formula is a trade secret.": ["trade secret", "formula is a trade secret"],
    "Top Secret // NOFORN": ["Top Secret // NOFORN"],
    "DO NOT FORWARD": ["DO NOT FORWARD"],
    "Please keep it confidential": [],
    "Is my data confidential?": [],
    "We signed an NDA yesterday": [],
    "He whispered a secret to me": [],
    "restricted access to my account": [],
    "My internal organs hurt": [],
}
CODE = {
    "def f(x): return x": ["def f(x): return x"],
    "Here it is:\n\ndef add(a, b):\n    return a + b\n\nCan you check?": [
        "def add(a, b):\n    return a + b"
    ],
    "Look:\n```\nx\n```\nthanks": ["```\nx\n```\n"],
    "SELECT * FROM users WHERE id=1;": ["SELECT * FROM users WHERE id=1;"],
    "for (int i = 0; i < n; i++) { s += a[i]; }": ["for (int i = 0; i < n; i++) { s += a[i]; }"],
    "import os\nimport sys\n\nclass A(B):\n    pass\n": [
        "import os\nimport sys\n\nclass A(B):\n    pass"
    ],
    "let x = 1;\nconsole.log(x);\n}": ["let x = 1;\nconsole.log(x);\n}"],
    "Select the best from the list below:": [],
    "Items:\n- milk (2);\n- eggs (12);\n- bread;": [],
    "Dear Sir;\nI would like to return it; it broke;\nThank you;": [],
    "name,age\nbob,3\n": [],
    '{"a": 1,\n "b": [1, 2],\n "c": {"d": 2}}': [],
    "while I was waiting (for hours): nothing.": [],
    "for the following reasons:\n\nif you agree:": [],
    "": [],
}


@pytest.mark.parametrize("text", PLACES)
def test_places(text):
    assert found(PlaceDetector(), text) == PLACES[text]


@pytest.mark.parametrize("text", ORGANIZATIONS)
def test_organizations(text):
    assert found(OrganizationDetector(), text) == ORGANIZATIONS[text]


@pytest.mark.parametrize("text", TOPICS)
def test_topics(text):
    assert {span.entity for span in TopicDetector().detect([text])[0]} == TOPICS[text]


def test_a_topic_is_marked_where_it_shows():
    text = "On medical leave for depression"
    assert found(TopicDetector(), text) == ["medical leave", "depression"]


@pytest.mark.parametrize("text", MARKS)
def test_marks(text):
    assert found(ConfidentialDetector(), text) == MARKS[text]


@pytest.mark.parametrize("text", CODE)
def test_code(text):
    assert found(CodeDetector(), text) == CODE[text]


def test_each_detector_reports_what_it_says_it_can():
    texts = [*PLACES, *ORGANIZATIONS, *TOPICS, *MARKS, *CODE]
    for detector in (*names_detectors(), *topic_detectors(), *secrecy_detectors()):
        reported = {span.entity for spans in detector.detect(texts) for span in spans}
        assert reported <= detector.entities
        assert detector.name
        assert detector.version


def test_taking_out_twice_is_taking_out_once():
    rules = SanitizeRules((*names_detectors(), *topic_detectors(), *secrecy_detectors()))
    texts = [*PLACES, *ORGANIZATIONS, *TOPICS, *MARKS, *CODE]
    rows = pa.table({"row": range(len(texts))})
    once = sanitize(Records(texts, rows), rules).texts
    assert sanitize(Records(once, rows), rules).texts == once
    assert "[WITHHELD]" not in once


def found(detector, text):
    return [text[span.start : span.end] for span in detector.detect([text])[0]]
