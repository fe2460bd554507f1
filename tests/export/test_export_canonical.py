"""The quick way of canonical JSON writes what the reference does, byte for byte."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from cipherset.core import canonical

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
LEAVES = st.none() | st.booleans() | TEXT | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-9, 9)
VALUES = st.recursive(
    LEAVES, lambda v: st.lists(v, max_size=4) | st.dictionaries(TEXT, v, max_size=4), max_leaves=12
)


@given(VALUES)
def test_it_is_the_reference(value):
    assert canonical.encode(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("code", range(0x120))
def test_each_character_is_escaped_as_there(code):
    assert canonical.encode({"a": chr(code)}) == rfc8785.dumps({"a": chr(code)})


def test_keys_are_in_the_order_of_utf_16():
    value = {"\U0001f600": 1, "\ufb33": 2, "b": 3, "a": 4}
    assert canonical.encode(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [2**53, -(2**53), float("nan"), {1: 2}, "\ud800", {1, 2}, b"x"])
def test_what_json_does_not_have_is_refused_as_there(value):
    with pytest.raises(ValueError) as ours:
        canonical.encode(value)
    with pytest.raises(ValueError) as theirs:
        rfc8785.dumps(value)
    assert type(ours.value) is type(theirs.value)
