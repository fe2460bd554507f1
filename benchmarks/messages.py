"""Made-up messages of an office, each with known private parts, for the inversion benchmark.

Six intents, four ways to say each, and closed lists for what is filled in: easier to invert than
real mail, since an attacker's own messages hold the same names and words. Nobody is meant.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FIRST_NAMES = (
    "Aaron Abigail Adam Alice Amanda Amir Amy Andrea Anna Anthony Ben Beth Brian Carla Chloe "
    "Claire Daniel David Deborah Diego Elena Emily Emma Eric Fatima Felix Fiona Frank Gabriel Gina "
    "Grace Hannah Harold Helen Henry Ian Ingrid Irene Isaac Jack Jacob James Jane Jasmine Jenna "
    "John Jonas Julia Karen Kevin Kira Laura Leo Linda Louis Lucy Marco Maria Martin Maya Megan "
    "Michael Mona Nadia Nathan Nina Noah Nora Oliver Olivia Omar Oscar Patricia Paul Peter Priya "
    "Rachel Ravi Rebecca Robert Rosa Ruth Samuel Sandra Sara Sean Simon Sofia Stella Steven Susan "
    "Tara Theo Thomas Tina Victor Wendy Yusuf Zoe"
)
LAST_NAMES = (
    "Alvarez Baker Bauer Becker Bennett Brooks Chen Clark Cohen Cooper Costa Diaz Evans Fischer "
    "Flores Foster Garcia Gray Haines Hill Hughes Ito Jensen Kaur Keller Khan Kim Klein Larsen Lee "
    "Lopez Marino Meyer Morgan Novak Olsen Ortiz Park Patel Perez Price Quinn Reed Rivera Rossi "
    "Sato Schmidt Shah Silva Singh Stone Torres Turner Vega Walsh Ward Weber Wong Young Zhang"
)
FIRST, LAST = FIRST_NAMES.split(), LAST_NAMES.split()
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
SPANS = ("ten", "fifteen", "twenty", "thirty", "forty", "sixty")
TOPICS = {
    "appointment": (
        "orthopedic knee surgery",
        "hip replacement",
        "cardiology consultation",
        "skin biopsy",
        "dental implant",
        "cataract operation",
        "chemotherapy session",
        "pregnancy ultrasound",
        "kidney dialysis",
        "shoulder surgery",
        "psychiatric evaluation",
        "diabetes check",
    ),
    "license": (
        "driver's license",
        "fishing license",
        "nursing license",
        "pilot license",
        "liquor license",
        "hunting license",
        "motorcycle license",
        "teaching license",
    ),
    "school": (
        "parent-teacher meeting",
        "math exam",
        "field trip",
        "piano recital",
        "science fair",
        "spelling contest",
        "swimming lesson",
        "school play",
    ),
    "billing": (
        "electricity bill",
        "rent payment",
        "loan installment",
        "tax refund",
        "phone contract",
        "credit card balance",
        "gym membership",
        "water invoice",
    ),
    "delivery": (
        "washing machine",
        "wheelchair",
        "baby stroller",
        "laptop",
        "mattress",
        "insulin pump",
        "garden table",
        "bicycle",
    ),
    "insurance": (
        "car accident",
        "house fire",
        "water damage",
        "stolen jewelry",
        "broken windshield",
        "travel cancellation",
        "dog bite",
        "roof leak",
    ),
}
TEMPLATES = {
    "appointment": (
        "Hello {first}, your {topic} is on {day}; be here {span} minutes before it starts",
        "{first} {last} has to come {span} minutes early on {day} for the {topic}",
        "We confirm the {topic} of {first} {last} for {day}, do not be late, it takes {span}",
        "Reminder for {first}: please arrive on {day} with your papers, {topic} with Dr. {last}",
    ),
    "license": (
        "The {topic} {number} of {first} {last} runs out on {day}",
        "Dear {first}, please renew your {topic} by {day}, the number is {number}",
        "{first} {last} lost the {topic} with the number {number} on {day}",
        "On {day} we sent {first} a copy of the {topic}, number {number}, signed by {last}",
    ),
    "school": (
        "{first} is invited to the {topic} on {day} in room {room}, says {last}",
        "Dear parents of {first}, the {topic} with Ms. {last} is moved to {day}",
        "Please sign the form for the {topic} of {first} {last} before {day}",
        "Mr. {last} would like to talk to you on {day} about {first} and the {topic}",
    ),
    "billing": (
        "{first}, the {topic} of {amount} dollars was due on {day}",
        "We received {amount} dollars from {first} {last} on {day} for the {topic}",
        "Dear {first} {last}, your {topic} of {amount} will be taken from your account on {day}",
        "The {topic} of {first} is open, please pay {amount} dollars until {day}",
    ),
    "delivery": (
        "Your {topic} arrives on {day}, {first}; the driver is called {last}",
        "{first} {last} was not at home on {day}, so the {topic} went to a neighbor",
        "We will bring the {topic} to {first} {last} on {day} within {span} minutes of noon",
        "Dear {first}, the {topic} with the order number {number} leaves our store on {day}",
    ),
    "insurance": (
        "The claim of {first} {last} about a {topic} on {day} is number {number}",
        "Dear {first}, we need photos of the {topic} by {day}, ask for {last}",
        "{first} reported a {topic} on {day} and asks for {amount} dollars",
        "On {day} our expert {last} visits {first} because of the {topic}",
    ),
}
INTENTS = tuple(TEMPLATES)


@dataclass(frozen=True)
class Message:
    """A text, its intent, and the parts that were filled in, by slot."""

    text: str
    intent: int
    slots: dict[str, str]


# What the classic demonstration wants to read. None of these wordings is among the templates.
SENTENCES = (
    Message(
        "Dear Carla, please arrive thirty minutes early for your orthopedic knee surgery on "
        "Thursday",
        INTENTS.index("appointment"),
        {"first": "Carla", "day": "Thursday", "topic": "orthopedic knee surgery"},
    ),
    Message(
        "Robert Haines must show his driver's license, number D4819-7733, at the desk on Monday",
        INTENTS.index("license"),
        {"first": "Robert", "day": "Monday", "topic": "driver's license"},
    ),
    Message(
        "Maya's parent-teacher meeting with Ms. Alvarez has been put off until Tuesday at six",
        INTENTS.index("school"),
        {"first": "Maya", "day": "Tuesday", "topic": "parent-teacher meeting"},
    ),
)


def made(n: int, seed: int) -> list[Message]:
    """``n`` messages, every part drawn evenly."""
    rng = np.random.default_rng(seed)
    return [_message(rng) for _ in range(n)]


def _message(rng: np.random.Generator) -> Message:
    intent = INTENTS[rng.integers(len(INTENTS))]
    slots = {
        "first": _one(rng, FIRST),
        "last": _one(rng, LAST),
        "day": _one(rng, DAYS),
        "span": _one(rng, SPANS),
        "topic": _one(rng, TOPICS[intent]),
        "number": "{}{:04d}-{:04d}".format(
            "ABCDEFGH"[rng.integers(8)], *rng.integers(10**4, size=2)
        ),
        "room": str(rng.integers(1, 40)),
        "amount": str(rng.integers(10, 1000)),
    }
    template = _one(rng, TEMPLATES[intent])
    filled = {name: value for name, value in slots.items() if "{" + name + "}" in template}
    return Message(template.format_map(filled), INTENTS.index(intent), filled)


def _one(rng: np.random.Generator, values: Sequence[str]) -> str:
    return values[rng.integers(len(values))]
