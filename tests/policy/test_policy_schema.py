"""The schema is that of our classes, and facts keep their order when they become Cedar's."""

import dataclasses
from decimal import Decimal
from fractions import Fraction

import cedarpy
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cipherset.custody.policy import (
    APPLIES_TO,
    Action,
    Authenticated,
    Context,
    Kind,
    Level,
    Resource,
    Role,
    Standing,
    Trust,
    Verdict,
    schema,
)


def test_cedar_takes_it():
    assert str(cedarpy.Schema.from_str(schema.TEXT)) != ""
    assert schema.DIGEST.startswith("sha256:")


def test_every_action_applies_to_something():
    assert set(APPLIES_TO) == set(Action)
    assert all(kinds for kinds in APPLIES_TO.values())


def test_every_field_is_an_attribute():
    fields = {field.name for field in dataclasses.fields(Context)}
    assert set(schema.CONTEXT) == fields | {"max_reid"}
    fields = {field.name for field in dataclasses.fields(Resource)} - {"kind", "id"}
    assert set(schema.RESOURCE) == fields | {"level"}


def test_what_may_be_unknown_is_optional_and_nothing_else_is():
    optional = {name for name, each in schema.CONTEXT.items() if each.is_optional}
    assert optional == {
        *("purpose", "environment", "network", "code", "grant_id", "reid", "verdict"),
        *("exposure_left", "asked", "requester", "beneficiary"),
        *("region", "key_region", "key_tenant"),
    }
    optional = {name for name, each in schema.RESOURCE.items() if each.is_optional}
    assert optional == {"owner", "trust", "purpose", "tenant", "region"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Role", Role),
        ("Level", Level),
        ("Standing", Standing),
        ("Trust", Trust),
        ("Verdict", Verdict),
        ("Authenticated", Authenticated),
        ("Asked", Action),
    ],
)
def test_an_enumeration_has_all_its_words(name, words):
    values = ", ".join(f'"{word}"' for word in words)
    assert f"entity {name} enum [{values}];" in schema.TEXT


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_is_an_entity_type(kind):
    assert f"entity {schema.entity_type(kind)} {{" in schema.TEXT


def test_levels_are_in_order():
    assert [level.rank for level in Level] == [0, 1, 2, 3]
    assert sorted(Level, key=lambda level: level.rank)[-1] is Level.RESTRICTED


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.05, "0.0500"),
        (0.050000000000000003, "0.0500"),
        (0.0500001, "0.0501"),
        (0.05001, "0.0501"),
        (1.0, "1.0000"),
        (0.0, "0.0000"),
        (1e-9, "0.0001"),
        (-0.00001, "-0.0000"),
        (np.float32(0.5), "0.5000"),
        (7, "7.0000"),
    ],
)
def test_figures_are_rounded_up_to_four_digits(value, written):
    assert schema.decimal_up(value) == written


@given(st.floats(-1e6, 1e6))
@example(0.05)
def test_rounding_up_is_never_below_and_less_than_one_step_above(value):
    rounded, shortest = Fraction(schema.decimal_up(value)), Fraction(Decimal(repr(value)))
    assert shortest <= rounded < shortest + Fraction(1, 10_000)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e300])
def test_what_cannot_be_compared_is_no_figure(value):
    with pytest.raises(ValueError, match="compare"):
        schema.decimal_up(value)
