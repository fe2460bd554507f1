"""The figures of the main job, as ``cipherset demo`` reports them.

Usage: python benchmarks/demo.py

One run of the whole command on 12,808 film reviews; no film is on both sides of the split. Key and
noise are fresh, so another run differs a little.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tables import REVIEWS, Table, arguments, hand_over

CLI = (sys.executable, "-c", "from cipherset.interfaces.cli.main import main; main()")


def report() -> dict[str, Any]:
    """What the command prints."""
    with tempfile.TemporaryDirectory() as folder:
        command = [*CLI, "demo", "--to", str(Path(folder) / "demo"), "--json"]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def tables() -> Iterator[Table]:
    shown = report()
    got, reid, settings = shown["accuracy"], shown["reidentification"], shown["settings"]
    low, high = got["wrong_key_range"]
    rows = [
        ["linear model on the plain vectors", f"{got['plain']:.3f}"],
        ["owner's own head", f"{got['owner_head']:.3f}"],
        ["label-anchor control", f"{got['anchor_control']:.3f}"],
        ["trained on the export, asked where the key is", f"{got['encrypted']:.3f}"],
        ["trained at the gate", f"{got['at_gate']:.3f}"],
        [f"wrong key, {got['wrong_keys_tried']} of them", f"{low:.3f} to {high:.3f}"],
        ["always the more frequent verdict", f"{got['chance']:.3f}"],
    ]
    header = ("", f"accuracy on {settings['rows_test']:,} held-out reviews")
    title = f"{shown['rows']:,} film reviews, fresh or rotten"
    yield Table("demo/accuracy", title, header, rows, (REVIEWS,))
    rows = [
        ["plain vectors", f"{reid['unprotected']:.3f}"],
        ["the export", f"{reid['exported']:.3f}"],
    ]
    title = "Re-identification, file, key and minimizer stolen"
    note = f"Beyond the {reid['chance']:.3f} that the verdict gives alone, among "
    note += f"{reid['candidates']:,} candidates with the same verdict."
    yield Table("demo/re-identification", title, ("", "excess"), rows, (REVIEWS,), note=note)


def main() -> None:
    asked = arguments(__doc__).parse_args()
    hand_over(tables(), asked.tables)


if __name__ == "__main__":
    main()
