"""Names of people by lists and cues: known answers, near misses, and what a text makes sure of."""

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cipherset.core.values import Records
from cipherset.pipeline.sanitize import SanitizeRules, sanitize
from cipherset.pipeline.sanitize.detectors.names.people import NameDetector

FOUND = {
    "my name is john smith and i need help": ["john smith"],
    "My name's Zorblax Quuxley.": ["Zorblax Quuxley"],
    "my name is zorblax quuxley": ["zorblax quuxley"],
    "Hi, this is Priya Natarajan from the billing desk.": ["Priya Natarajan"],
    "Dear Ms. Quibell,": ["Quibell"],
    "Dear Mr. and Mrs. Hollingsworth,": ["Hollingsworth"],
    "Dear Xu,\nyour order is on its way": ["Xu"],
    "Regards,\nThandeka Mbatha\nSupport": ["Thandeka Mbatha"],
    "Best,\nJ. R. Kowalczyk": ["J. R. Kowalczyk"],
    "Name: O'BRIEN, SEAN": ["O'BRIEN, SEAN"],
    "JOHN SMITH IS HERE. ATTN: MARY JONES": ["JOHN SMITH", "MARY JONES"],
    "Herr Prof. Dr. Müller met Frau von der Leyen.": ["Müller", "von der Leyen"],
    "dr patel agreed, Dr Strangelove did not": ["patel", "Strangelove"],
    "We heard that Kowalski wrote a letter.": ["Kowalski"],
    "Jean-Luc Picard and Mary-Jane O'Neil-Watson": ["Jean-Luc Picard", "Mary-Jane O'Neil-Watson"],
    "José Núñez's order": ["José Núñez"],
    "J.K. Rowling wrote to T.S. Eliot": ["J.K. Rowling", "T.S. Eliot"],
    'Elizabeth "Betsy" Ross': ["Elizabeth", "Betsy", "Ross"],
    "my husband Gunther and my daughter Lily": ["Gunther", "Lily"],
    "Marbury v. Madison was decided": ["Marbury", "Madison"],
    "State v. Henderson": ["Henderson"],
    "signed by Rajesh K. Iyer, MD": ["Rajesh K. Iyer"],
    "Witness Hernandez saw Defendant Lopez.": ["Hernandez", "Lopez"],
    "Passenger Schröder, Jürgen missed it": ["Schröder, Jürgen"],
    "Reviewed-by: Kees van der Berg": ["Kees van der Berg"],
    "Call Muhammad bin Salman al-Qahtani": ["Muhammad bin Salman al-Qahtani"],
    "Аnnа Pеtrova called": ["Аnnа Pеtrova"],  # with Cyrillic letters that look like Latin ones
    "Thanks to LAUREN at gate 5": ["LAUREN"],
    "name=John%20Smith&age=4": ["John%20Smith"],
    "https://x.com/u?first_name=Ravi&last_name=Ramanathan": ["Ravi", "Ramanathan"],
    '{"firstName":"Qiang","lastName":"Zheng"}': ["Qiang", "Zheng"],
    "<name>Ana-Lucia Fernandez-Ortiz</name>": ["Ana-Lucia Fernandez-Ortiz"],
    'From: "Kwame Asante" <kwame@x.com>\nTo: Siân Llewellyn': ["Kwame Asante", "Siân Llewellyn"],
    "| Name | Edgars Krūmiņš |": ["Edgars Krūmiņš"],
    "Employee: 美咲 鈴木\nID: 4": ["美咲 鈴木"],
    "氏名：山田太郎\n": ["山田太郎"],
    "id,full name,city\n7,Valdis Ozols,Riga\n8,Ирина Иванова,Perm": [
        "Valdis Ozols",
        "Ирина Иванова",
    ],
    "name;note\nQuill;x": [],  # one word on no list may be anything
}
NOT_FOUND = (
    "Dear Customer, your account is ready",
    "Hello there, how can I help",
    "Patient: I feel bad. Doctor: What brings you in?",
    "{'name': 'api-server', 'kind': 'Deployment'}",
    "I will mark the grant as hope in May.",
    "The Grant Street bill is due. Grace period ends in June.",
    "Please contact Apple or Chase Bank.",
    "Johns Hopkins Hospital, Wells Fargo, Morgan Stanley, JP Morgan Chase",
    "Parkinson's disease, Crohn's disease, Hodgkin lymphoma, Foley catheter, Down syndrome",
    "San Jose, Santa Monica, St. Paul, Mount Vernon, Jackson Hole, Virginia Beach",
    "7526 Birch Court, Clinton, OK 73246",
    "Use Jenkins, Django, Ruby on Rails, Alexa, Siri; Kafka and Cassandra",
    "Contact: Accounts Payable. Manager: TBD. Author: unknown. Customer: ACME",
    "@john_smith, #JohnSmith, john.smith@example.com, /home/john/x",
    "I'm Sorry. I am British. This is Great.",
    "Miss Universe said no, Mr. President",
    "The Smith Group and Jones & Co",
    "U.S. Treasury, P.M. Dallas, D.C. Metro",
    "JetBlue said it was late. @USAirways claims so.",
    "[PERSON] said that [PERSON] and Dr. [PERSON] met. Dear [PERSON],",
)


@pytest.mark.parametrize("text", FOUND)
def test_names_are_found(text):
    assert names(text) == FOUND[text]


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_looks_like_a_name_is_left(text):
    assert names(text) == []


def test_a_name_is_found_again_where_it_stands_alone():
    text = "My name is Zorblax Quuxley. Ask zorblax? No: Zorblax. Quuxley's key, ZORBLAX!"
    assert names(text) == ["Zorblax Quuxley", "Zorblax", "Quuxley", "ZORBLAX"]


def test_an_ordinary_word_is_not_found_again_in_small_letters():
    assert names("Mr. Brown has a brown dog; he told Brown so") == ["Brown", "Brown"]


def test_the_detector_says_what_it_is():
    detector = NameDetector()
    assert detector.name == "name lists and cues"
    assert detector.entities == {"PERSON"}


@pytest.mark.parametrize("text", FOUND)
def test_taking_names_out_twice_is_taking_them_out_once(text):
    rules = SanitizeRules((NameDetector(),))
    once = sanitize(records(text), rules).texts
    assert sanitize(records(once[0]), rules).texts == once
    assert not any(name in once[0] for name in FOUND[text])


SOME = ("Anna", "smith", "Dr.", "van", "der", "said", "name:", "Dear", "v.", "A.", "Xu", "is", "My")
ODD = (
    ",",
    "\n",
    "😀",
    "é",
    "|",
    "<b>",
    "اسم",
    "名前：",
    "İ",
    "'s",
    "-",
    "Mary-Jane",
    "MARY",
    "al-X",
)
WORDS = st.sampled_from(SOME + ODD)


@given(st.lists(WORDS, max_size=12).map(" ".join) | st.text(max_size=60))
@example("İstanbul'dan Anna Smith")
def test_spans_are_in_order_apart_and_of_letters(text):
    spans = NameDetector().detect([text])[0]
    for span in spans:
        assert 0 <= span.start < span.end <= len(text)
        assert text[span.start].isalpha()
    assert all(one.end <= other.start for one, other in pairwise(spans))


@given(st.lists(WORDS, max_size=8).map(" ".join), st.lists(WORDS, max_size=8).map(" ".join))
def test_a_batch_is_its_texts(one, other):
    detector = NameDetector()
    assert detector.detect([one, other]) == [*detector.detect([one]), *detector.detect([other])]


def records(text):
    return Records([text], pa.table({"label": ["a"]}))


def names(text):
    return [text[span.start : span.end] for span in NameDetector().detect([text])[0]]
