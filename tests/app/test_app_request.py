from pathlib import Path

import pytest

from cipherset.app.exports.request import ProtectRequest
from cipherset.core.errors import CiphersetError
from cipherset.core.values import ColumnRoles

NAN = float("nan")


def code_of(roles=ColumnRoles(text=("body",)), **changes):  # noqa: B008 -- frozen
    with pytest.raises(CiphersetError) as refused:
        ProtectRequest("rows.csv", roles, "key", Path("out"), **changes)
    return refused.value.code


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, NAN])
def test_a_test_share_out_of_range(share):
    assert code_of(test_share=share) == "test_share"


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5, NAN])
def test_a_fit_share_out_of_range(share):
    assert code_of(fit_share=share) == "fit_share"


@pytest.mark.parametrize("limit", [0.0, 1.0, -1.0, NAN])
def test_a_limit_out_of_range(limit):
    assert code_of(max_reid=limit) == "usage"


@pytest.mark.parametrize("factor", [-1.0, NAN, float("inf")])
def test_a_factor_out_of_range(factor):
    assert code_of(approximation_factor=factor) == "usage"


@pytest.mark.parametrize("noise", ["", "laplace", "gaussian", "gaussian:1,2", "gaussian:0,1e-6"])
def test_noise_that_promises_nothing(noise):
    assert code_of(noise=noise) == "noise"


def test_a_factor_and_an_epsilon():
    assert code_of(noise="gaussian:1,1e-6", approximation_factor=4.0) == "usage"


def test_noise_has_one_spelling():
    def spelled(noise):
        roles = ColumnRoles(text=("body",))
        return ProtectRequest("rows.csv", roles, "key", Path("out"), noise=noise)

    ball, gaussian = spelled("ball"), spelled("gaussian:4,1e-6")
    assert (ball.guarantee, ball.factor, ball.noise_kept) == (None, None, "ball")
    assert (gaussian.factor, gaussian.noise_kept) == (0.0, "gaussian:4.0,1e-06")
    assert spelled("gaussian:4.00,0.000001").noise_kept == gaussian.noise_kept


@pytest.mark.parametrize("changes", [{"label": "grade"}, {"group": "query"}])
def test_rows_are_ranked_by_grades_within_groups(changes):
    assert code_of(ColumnRoles(text=("body",), ranked=True, **changes)) == "usage"


def test_what_names_nothing_we_have():
    assert code_of(minimize="magic:3") == "minimizer_spec"
    assert code_of(scheme="rot/13") == "scheme"


def test_text_or_vector_but_not_both():
    assert code_of(ColumnRoles()) == "usage"
    assert code_of(ColumnRoles(text=("body",), vector="v")) == "usage"


def test_a_negative_seed():
    assert code_of(seed=-1) == "usage"
