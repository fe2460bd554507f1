"""The routes as their schema says they are: schemathesis asks what no person would."""

import pytest
import schemathesis
from http_server import running
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from cipherset.interfaces.http.limits import DEFAULT_LIMITS


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    home = tmp_path_factory.mktemp("schema") / "workspace"
    with running(home, DEFAULT_LIMITS) as server:
        yield schemathesis.openapi.from_url(f"http://127.0.0.1:{server.port}/openapi.json")


def conforms(schema, examples):
    """No route answers with a failure of its own, or with what its schema does not say."""
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case):
            # What a schema cannot say (that a key is there) is refused all the same.
            case.call_and_validate(timeout=60, excluded_checks=[positive_data_acceptance])

        ask()


def test_it_is_openapi_3_1(solo):
    told = solo.client.get("/openapi.json").json()
    assert told["openapi"].startswith("3.1")
    assert told["info"]["title"] == "Cipherset gateway"
    for path, methods in told["paths"].items():
        for method, route in methods.items():
            assert route["summary"], (method, path)
            assert route["tags"], (method, path)
            assert "default" in route["responses"]


def test_a_few_questions_find_nothing(schema):
    conforms(schema, examples=5)


@pytest.mark.attack
def test_many_questions_find_nothing(schema):
    conforms(schema, examples=60)
