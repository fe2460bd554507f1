"""Options that do not go together, and what is there already."""

import pytest
from click.testing import CliRunner

from cipherset.app.demo.seeded.seed import seed_demo
from cipherset.app.serving.quiet import Quiet
from cipherset.app.workspace import Session
from cipherset.core.errors import UsageError
from cipherset.interfaces.cli.main import cli


@pytest.mark.parametrize("options", [("--to", "lineage.json"), ("--format", "prov", "--verify")])
def test_a_lineage_is_written_in_a_format_or_verified(options, tmp_path):
    asked = ["view", "lineage", "key:support", *options, "--json", "--home", str(tmp_path)]
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 2
    assert '"code": "usage"' in done.output or '"code":"usage"' in done.output


def test_a_demo_is_not_made_over_something_else(tmp_path):
    with pytest.raises(UsageError) as caught:
        seed_demo(Session(tmp_path / "w", "ada", tmp_path, Quiet()), tmp_path)
    assert caught.value.code == "target_exists"
