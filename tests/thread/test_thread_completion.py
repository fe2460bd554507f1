"""What a shell is told that completes a line: what may follow, and no word of ours else."""

import pytest
from click.shell_completion import BashComplete

from cipherset.interfaces.cli.main import cli


@pytest.mark.parametrize(
    ("args", "begun", "expected"),
    [
        ([], "prot", ["protect"]),
        (["key"], "rot", ["rotate"]),
        (["protect"], "--te", ["--text", "--test-share"]),
        (["protct"], "x", []),
        (["key", "nothing"], "x", []),
    ],
)
def test_a_shell_completes_commands_and_options(args, begun, expected, capsys):
    shell = BashComplete(cli, {}, "cipherset", "_CIPHERSET_COMPLETE")
    assert [each.value for each in shell.get_completions(args, begun)] == expected
    assert capsys.readouterr() == ("", "")
