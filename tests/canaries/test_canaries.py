"""Planted secrets are random, kept sealed, and known to the model that learned them by heart."""

import hashlib
from statistics import NormalDist

import numpy as np
import pytest
from canaries_models import CharacterModel
from hypothesis import given
from hypothesis import strategies as st

from cipherset.core.errors import BackendError, InputError, IntegrityError, UsageError
from cipherset.custody.keys import ephemeral_sealer
from cipherset.pipeline.sanitize.canaries import (
    Canaries,
    CanaryFormat,
    exposure,
    exposure_by_completion,
    found_in,
    keep,
    make,
    places,
    plant,
    recall,
)

FOUR = CanaryFormat("the code of this account is {}", length=4)
TOPICS = ("card", "refund", "parcel", "invoice", "password", "router")


def rows(n=600):
    rng = np.random.default_rng(21)
    return [
        f"my {rng.choice(TOPICS)} number {rng.integers(10_000)} is {rng.choice(['late', 'wrong'])}"
        f" since {rng.integers(1, 29)} may"
        for _ in range(n)
    ]


def trained(canaries):
    """A model of the rows and the canaries among them."""
    texts = rows()
    return CharacterModel(text for text, _ in plant(texts, canaries, n_rows=len(texts)))


def drawn(seed, n, *, repeats=1, form=FOUR):
    """The same ones in each run: of others a model is wrongly told once in ten thousand runs."""
    numbers = np.random.default_rng(seed).choice(form.n_secrets, n, replace=False)
    return Canaries(form, repeats, tuple(form.secret(int(number)) for number in numbers))


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(22)


def test_a_model_that_learned_them_by_heart_is_exposed(rng):
    canaries = drawn(1, 4, repeats=8)
    known = exposure(trained(canaries).log_probability, canaries, rng=rng)
    assert known.exact
    assert known.most_bits == pytest.approx(np.log2(10_000), abs=0.001)
    assert known.bits.min() > 10
    assert known.n_readable >= 3
    assert known.chance < 1e-6


def test_a_model_that_never_saw_them_is_not(rng):
    """On the average over many canaries 1.44 bits: ranks are uniform."""
    unseen = CharacterModel(rows())
    canaries = drawn(2, 100)
    told = exposure(unseen.log_probability, canaries, rng=rng)
    assert 0.8 < told.mean < 2.2
    assert told.chance > 1e-4


def test_of_one_model_only_the_planted_are_exposed(rng):
    """Seen once is enough for a model of counts; the others are the control."""
    form = CanaryFormat("the code of this account is {}", length=3)
    both = drawn(3, 10, form=form).secrets
    planted, held_out = Canaries(form, 1, both[:5]), Canaries(form, 1, both[5:])
    model = trained(planted)
    assert exposure(model.log_probability, planted, rng=rng).chance < 1e-6
    assert exposure(model.log_probability, held_out, rng=rng).chance > 1e-5


def test_completions_read_the_secret_out():
    canaries = drawn(4, 1, repeats=8)
    read = exposure_by_completion(trained(canaries).complete, canaries)
    assert (read.n_read_out, read.matched.tolist()) == (1, [4])
    assert read.chance == pytest.approx(1e-4)


def test_completions_of_several_take_some_characters():
    form = CanaryFormat("the code of this account is {}", length=8)
    canaries = drawn(5, 5, repeats=8, form=form)
    read = exposure_by_completion(trained(canaries).complete, canaries, given=4)
    assert read.n_read_out >= 3
    assert read.chance < 1e-8


def test_completions_of_a_model_that_never_saw_them():
    canaries = drawn(6, 20)
    read = exposure_by_completion(CharacterModel(rows()).complete, canaries)
    assert read.n_read_out == 0
    assert read.chance > 1e-4
    nothing = exposure_by_completion(lambda _: "", canaries)
    assert (nothing.matched.sum(), nothing.chance) == (0, 1.0)


def uniform(text):
    """A number in (0, 1) that depends on the text alone."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "little") + 0.5) / 2**64


def normal_model(texts):
    law = NormalDist(-40, 5)
    return np.array([law.inv_cdf(uniform(text)) for text in texts])


def test_exact_exposure_by_the_definition(rng):
    canaries = make(3, form=FOUR)
    told = exposure(normal_model, canaries, rng=rng)
    everyone = [FOUR.text(FOUR.secret(number)) for number in range(10_000)]
    for bits, text in zip(told.bits, canaries.texts, strict=True):
        others = [one for one in everyone if one not in canaries.texts] + [text]
        ranked = sorted(others, key=lambda one: -normal_model([one])[0])
        rank = ranked.index(text) + 1
        assert bits == pytest.approx(np.log2(len(others)) - np.log2(rank))


def test_sampled_exposure_agrees_with_the_law_it_is_drawn_from(rng):
    """``-log2 P(another secret is as probable)``, which is known here, and far in the tail."""
    canaries = make(6)
    tails = dict(zip(canaries.texts, [0.5, 0.1, 0.01, 1e-5, 1e-6, 1e-8], strict=True))
    law = NormalDist(-40, 5)

    def model(texts):
        return np.array([law.inv_cdf(1 - tails.get(text, uniform(text))) for text in texts])

    told = exposure(model, canaries, rng=rng, n_samples=4000)
    assert not told.exact
    assert told.fit > 1e-3
    expected = -np.log2([*tails.values()])
    np.testing.assert_allclose(told.bits[:3], expected[:3], rtol=0.2, atol=0.1)
    np.testing.assert_allclose(told.bits[3:], expected[3:], rtol=0.25)
    assert told.n_readable == 0
    assert told.most_bits == pytest.approx(np.log2(1e9))


def test_where_no_law_fits_a_sample_tells_no_more_than_it_can(rng):
    """Two values: nothing normal about that."""
    canaries = make(2)

    def model(texts):
        return np.array([2.0 if text in canaries.texts else uniform(text) > 0.5 for text in texts])

    told = exposure(model, canaries, rng=rng, n_samples=999)
    assert told.fit < 1e-3
    assert told.most_bits == told.highest == pytest.approx(np.log2(1000))


def test_a_model_that_says_the_same_of_all_exposes_nothing(rng):
    for form in (FOUR, CanaryFormat()):
        told = exposure(lambda texts: np.zeros(len(texts)), make(3, form=form), rng=rng)
        assert told.bits.tolist() == [0, 0, 0]
        assert told.chance == 1


@pytest.mark.parametrize("answer", [np.zeros(3), np.nan, -np.inf, [[0.0]]])
def test_answers_that_are_no_log_probabilities(answer, rng):
    def model(texts):
        return answer if np.ndim(answer) else np.full(len(texts), answer)

    with pytest.raises(InputError) as refused:
        exposure(model, make(1, form=FOUR), rng=rng)
    assert refused.value.code == "canary_answers"


def test_secrets_are_different_and_evenly_drawn():
    canaries = make(1000)
    assert len(set(canaries.secrets)) == 1000
    # Of a billion; two draws share one secret once in a thousand runs, and five never.
    assert len(set(canaries.secrets) & set(make(1000).secrets)) < 5
    digits = np.bincount([int(digit) for secret in canaries.secrets for digit in secret])
    assert np.abs(digits - 900).max() < 5 * np.sqrt(900)


@given(number=st.integers(0, 9999))
def test_secrets_are_numbered(number):
    assert int(FOUR.secret(number)) == number
    assert FOUR.text(FOUR.secret(number)).startswith(FOUR.prompt)


def test_huge_spaces_are_drawn_from(rng):
    form = CanaryFormat(alphabet="abcdefghijklmnopqrstuvwxyz", length=32)
    told = exposure(normal_model, make(2, form=form), rng=rng, n_samples=500)
    assert told.n_candidates == 500


def test_they_stand_at_random_among_all_rows():
    texts = [f"row {n}" for n in range(300)]
    canaries = make(5, repeats=4)
    planted = [*plant(texts, canaries, n_rows=300)]
    assert [text for text, ours in planted if not ours] == texts
    assert sorted(text for text, ours in planted if ours) == sorted(canaries.texts * 4)
    where = np.mean([np.mean(places(300, 20)) for _ in range(50)])
    assert abs(where - 160) < 5 * 92 / np.sqrt(1000)


@pytest.mark.parametrize("claimed", [2, 4])
def test_another_number_of_rows(claimed):
    with pytest.raises(InputError) as refused:
        list(plant(["a", "b", "c"], make(1), n_rows=claimed))
    assert refused.value.code == "canary_rows"


@pytest.mark.parametrize(("n", "repeats"), [(0, 1), (101, 1), (1, 0), (-1, 1)])
def test_counts_that_make_no_sense(n, repeats):
    with pytest.raises(UsageError) as refused:
        make(n, repeats=repeats, form=FOUR)
    assert refused.value.code == "canary_count"


@pytest.mark.parametrize(
    "changes",
    [
        {"template": "no slot"},
        {"template": "{} and {}"},
        {"length": 2},
        {"length": -1},
        {"alphabet": "aab"},
        {"alphabet": "a"},
    ],
)
def test_formats_that_hide_nothing(changes):
    with pytest.raises(UsageError) as refused:
        CanaryFormat(**changes)
    assert refused.value.code == "canary_format"


def test_kept_sealed_and_recalled(tmp_path):
    path, sealer, canaries = tmp_path / "canaries", ephemeral_sealer(), make(9, repeats=2)
    keep(path, canaries, sealer, dataset="one")
    assert recall(path, sealer, dataset="one") == canaries
    raw = path.read_bytes()
    assert not any(secret.encode() in raw for secret in canaries.secrets)
    for other, dataset in ((sealer, "two"), (ephemeral_sealer(), "one")):
        with pytest.raises(IntegrityError) as refused:
            recall(path, other, dataset=dataset)
        assert refused.value.code == "unseal"


def test_none_were_kept(tmp_path):
    with pytest.raises(IntegrityError) as refused:
        recall(tmp_path / "absent", ephemeral_sealer(), dataset="one")
    assert refused.value.code == "sealed_missing"
    with pytest.raises(BackendError):
        recall(tmp_path, ephemeral_sealer(), dataset="one")


def test_nothing_shows_a_secret():
    canaries = make(3)
    assert not any(secret in repr(canaries) for secret in canaries.secrets)


def test_found_in_an_output():
    canaries = Canaries(FOUR, 1, ("1234", "9876"))
    assert found_in("it is 98-76, I think", canaries) == [1]
    assert found_in("it is 12 34 9876", canaries) == [0, 1]
    assert found_in("123 4", canaries) == [0]
    assert found_in("nothing", canaries) == []
