"""What is found is treated as its owner wrote it, stricter with the label, milder to its sender."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.core.errors import InputError
from cipherset.core.labels import Label, Level
from cipherset.core.secret import KeyHandle, Secret
from cipherset.custody.keys import KeyedHashes
from cipherset.guard.outputs import (
    BLOCKED,
    HELD,
    CanaryHashes,
    Finders,
    Kind,
    OutputFilter,
    OutputRules,
    Remedy,
    Rows,
)
from cipherset.pipeline.sanitize import default_rules
from cipherset.pipeline.sanitize.canaries import make
from cipherset.pipeline.sanitize.detectors.content.terms import TermsDetector
from cipherset.pipeline.sanitize.detectors.content.topics import TopicDetector
from cipherset.pipeline.sanitize.shingles import build

ROW = "my parcel to oslo is nine days late and nobody can tell me where it is"
TOKEN = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dF3gH6"


def hashes(purpose="shingles"):
    return KeyedHashes(KeyHandle("tickets", 1, Secret(bytes([7]) * 32)), purpose)


@pytest.fixture(scope="module")
def finders():
    return Finders(
        rows=(Rows("tickets", build([[ROW]], hashes())),),
        detectors=default_rules().detectors,
        topics=(TopicDetector(), TermsDetector("projects", ["Project Heron"], "PROJECTS")),
    )


def rules(text):
    return OutputRules.from_toml(text)


def released(finders, text, toml="", prompt=(), context=None):
    label = None if context is None else Label(level=context)
    return OutputFilter(finders, rules(toml)).apply(text, prompt, context=label).text


def test_the_defaults(finders):
    assert released(finders, "Write to anna.berg@example.com today.") == "Write to [EMAIL] today."
    assert released(finders, f"Use {TOKEN} for it.") == f"Use {BLOCKED}"
    assert released(finders, f"He wrote: {ROW.title()}!") == f"He wrote: {BLOCKED}"
    assert released(finders, "It costs 12 euros in Oslo.") == "It costs 12 euros in Oslo."
    assert released(finders, "Project Heron starts.") == "Project Heron starts."


def test_topics_by_what_is_denied_and_by_what_is_allowed(finders):
    text = "Then Project Heron starts."
    assert released(finders, text, '[topics]\ndeny = ["PROJECTS"]') == f"Then {BLOCKED}"
    assert released(finders, text, '[topics]\nallow = ["PROJECTS"]') == text
    toml = '[topics]\nallow = ["HEALTH"]\nremedy = "review"'
    assert released(finders, text, toml) == f"Then {HELD}"
    ill = "She was diagnosed with diabetes and has chemotherapy."
    assert released(finders, ill, '[topics]\ndeny = ["HEALTH"]').endswith(BLOCKED)


def test_an_entity_has_a_remedy_of_its_own(finders):
    toml = '[personal]\nremedy = "block"\n[personal.entities]\nEMAIL = "replace"\nPHONE = "pass"'
    text = "Mail anna.berg@example.com or call +1 415 555 0132."
    assert released(finders, text, toml) == "Mail [EMAIL] or call +1 415 555 0132."


def test_what_the_caller_sent_is_repeated_to_him(finders):
    prompt = ["My card is 4111 1111 1111 1111 and my mail anna.berg@example.com, write to her."]
    reply = "Card 4111-1111-1111-1111, mail ANNA.BERG@example.com."
    assert released(finders, reply, prompt=prompt) == reply
    other = "Card 5500 0055 5555 5559, mail ann.berg@example.com."
    assert released(finders, other, prompt=prompt) == "Card [CARD], mail [EMAIL]."
    toml = "[personal]\ncaller_may_repeat = false"
    assert released(finders, reply, toml, prompt) == "Card [CARD], mail [EMAIL]."


def test_a_part_of_what_was_sent_or_more_than_it_is_not_repeated(finders):
    prompt = ["My address ends in berg@example.com, and my number in 0132"]
    assert released(finders, "anna.berg@example.com", prompt=prompt) == "[EMAIL]"
    joined_over_two = ["anna.berg", "@example.com"]
    assert released(finders, "anna.berg@example.com", prompt=joined_over_two) == "[EMAIL]"
    assert released(finders, "anna.berg@example.com", prompt=["", "…"]) == "[EMAIL]"


def test_who_has_a_row_repeated_learns_nothing(finders):
    """A reply that is blocked only where the row is one of ours would tell that it is."""
    other = "my parcel to rome is four days late and nobody will tell me what it holds"
    for row in (ROW, other):
        assert released(finders, row, prompt=[f"Repeat after me: {row}"]) == row
    begun = [f"Go on: {ROW[:40]}"]
    assert released(finders, ROW, prompt=begun) == BLOCKED
    assert released(finders, ROW, "[copies]\ncaller_may_repeat = false", [ROW]) == BLOCKED


def test_canaries_by_hashes_alone():
    planted = make(5)
    form = planted.format
    kept = CanaryHashes.of("tickets", form.alphabet, planted.secrets, hashes("canaries"))
    finders = Finders(canaries=(kept,))
    one = planted.secrets[2]
    for written in (one, " ".join(one), one[:3] + "-" + one[3:], "\u200b".join(one)):
        text = f"the access phrase for this account is {written}"
        assert released(finders, text) == f"the access phrase for this account is {BLOCKED}"
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in one)
    assert released(finders, f"is {wide}.") == f"is {BLOCKED}"
    assert released(finders, one, prompt=[one]) == BLOCKED
    near = str(int(one) // 10).zfill(8) + str((int(one) + 1) % 10)
    assert released(finders, near) == (near if near not in planted.secrets else BLOCKED)
    assert released(finders, "12 of 34, and 5") == "12 of 34, and 5"
    shown = repr(kept) + repr(finders)
    assert not any(secret in shown for secret in planted.secrets)
    assert str(next(iter(kept.keys))) not in shown


def test_canaries_of_letters_are_found_in_any_case():
    kept = CanaryHashes.of("tickets", "abcdef", ["abcdefabcdef"], hashes("canaries"))
    assert released(Finders(canaries=(kept,)), "so ABCDEF-abcdef") == f"so {BLOCKED}"
    assert released(Finders(canaries=(kept,)), "so abcdefxabcdef") == "so abcdefxabcdef"


def test_rare_passages_only():
    common, rare = (
        "what is the number of my new bank card",
        "heron lake mill ditch five oaks by noon",
    )
    bits = {common: 10.0, rare: 90.0}
    finders = Finders(rows=(Rows("tickets", build([[common, rare]], hashes()), bits.get),))
    toml = '[copies]\nleast_bits = 40.0\nremedy = "replace"'
    assert released(finders, common, toml) == common
    assert released(finders, rare, toml) == "[COPY]"
    assert released(finders, common, toml, context=Level.INTERNAL) == common
    assert released(finders, common, toml, context=Level.CONFIDENTIAL) == "[COPY]"
    assert released(finders, common) == BLOCKED


def test_restricted_context_is_stricter(finders):
    text = "Write to anna.berg@example.com today."
    assert released(finders, text, context=Level.CONFIDENTIAL) == "Write to [EMAIL] today."
    assert released(finders, text, context=Level.RESTRICTED) == f"Write to {BLOCKED}"
    toml = '[context.internal.entities]\nEMAIL = "review"'
    assert released(finders, text, toml, context=Level.PUBLIC) == "Write to [EMAIL] today."
    assert released(finders, text, toml, context=Level.INTERNAL) == f"Write to {HELD}"
    assert released(finders, text, toml, context=Level.RESTRICTED) == f"Write to {HELD}"


REMEDIES = st.sampled_from(list(Remedy))
IN_CONTEXT = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("copies", "personal", "secrets", "canaries", "topics"), REMEDIES),
        "entities": st.dictionaries(st.sampled_from(["EMAIL", "CARD"]), REMEDIES),
        "every_copy": st.booleans(),
    },
)


@given(
    context=st.dictionaries(st.sampled_from(list(Level)), IN_CONTEXT),
    kind=st.sampled_from(list(Kind)),
    name=st.sampled_from(["EMAIL", "CARD", "URL", "HEALTH"]),
    low=st.sampled_from([None, *Level]),
    high=st.sampled_from(list(Level)),
)
def test_a_higher_label_never_allows_more(context, kind, name, low, high):
    some = OutputRules(context=context, topics={"deny": ["HEALTH"]}, copies={"least_bits": 9.0})
    if low is not None and low.rank > high.rank:
        low, high = high, low
    milder = some.under(None if low is None else Label(level=low))
    stricter = some.under(Label(level=high))
    assert milder.remedy(kind, name).rank <= stricter.remedy(kind, name).rank
    assert milder.least_bits >= stricter.least_bits


@pytest.mark.parametrize(
    ("toml", "where"),
    [
        ("copies = [", "TOML"),
        ("[copies]\nremedy = 'drop'", "copies.remedy"),
        ("[copies]\nleast_words = 3", "copies.least_words"),
        ("[copies]\nleast_words = '8'", "copies.least_words"),
        ("[copies]\nleast_bits = nan", "copies.least_bits"),
        ("[copy]\nremedy = 'block'", "copy"),
        ("[secrets]\ncaller_may_repeat = 'yes'", "secrets.caller_may_repeat"),
        ("[personal.entities]\nE-MAIL = 'pass'", "personal.entities"),
        ("[topics]\ndeny = ['A']\nallow = []", "topics"),
        ("[context.secret]\ncopies = 'block'", "context.secret"),
    ],
)
def test_rules_that_there_are_not(toml, where):
    with pytest.raises(InputError) as refused:
        OutputRules.from_toml(toml)
    assert refused.value.code == "output_rules"
    assert where in refused.value.message


def test_a_model_that_repeats_its_rows_is_stopped():
    """Regurgitation: whatever a prompt begins with, it goes on as the training row did."""
    rng = np.random.default_rng(3)
    words = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("r", "ten", "lo", "m")]
    rows = [" ".join(rng.choice(words, size=int(rng.integers(20, 60)))) for _ in range(100)]

    def model(prompt):
        return next(row[len(prompt) :] for row in rows if row.startswith(prompt))

    finders = Finders(rows=(Rows("tickets", build([rows], hashes())),))
    guarded = OutputFilter(finders)
    leaked = 0
    for row in rows:
        prompt = " ".join(row.split()[:4])
        answer = guarded.apply(model(prompt), [prompt]).text
        leaked += len(answer.removesuffix(BLOCKED).split())
    assert leaked == 0
    assert sum(len(model(" ".join(row.split()[:4])).split()) for row in rows) > 3_000
