"""Golden runs: ``golden/*.txt`` holds commands, how each ends, and every word it prints.

    $ cipherset key show nobody
    exit 5
    2> error (key_unknown): there is no key nobody in <home>/keys

``1>`` is stdout and ``2>`` stderr; ``<home>``, ``<key>``, ``<id>``, ``<time>``, ``<n>`` and
``<recalls>`` stand for what changes. After a wanted change, write them anew:
``python tests/thread/test_thread_golden.py``.
"""

import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import pytest
from thread_samples import cipherset, vector_rows, write_rows

GOLDEN: Final = Path(__file__).with_name("golden")
CHANGING: Final = (
    (r"\b[a-z]+-[0-9a-f]{16}\b", "<key>"),
    (r"\b[0-9a-f]{32,64}\b", "<id>"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)", "<time>"),
    (r"\b\d+\.\d{3,}\b", "<n>"),
    (r"(?<=by detectors )(with recall .+(?:\n {5,}\S.*)*|whose recall .+)", "<recalls>"),
)
TEXTS: Final = [
    {"id": 7, "body": "write to jo@x.com or call (212) 555-0123", "topic": "contact"},
    {"id": 8, "body": 1234, "topic": "number"},
    {"id": 9, "body": "nothing to see", "topic": "none"},
]
RULES: Final = {
    "keyed.toml": '[entities]\nEMAIL = "token"\n',
    "masks.toml": '[entities]\nPHONE = {treatment = "mask", keep_last = 4}\nEMAIL = "keep"\n',
    "wrong.toml": '[entities]\nEMIAL = "token"\n',
}


def play(text, folder):
    """The script with what its commands do today, run in ``folder``."""
    played = []
    for line in text.splitlines():
        if line.startswith("#") or not line:
            played.append(line)
        if line.startswith("$ "):
            played += [line, *_run(shlex.split(line)[2:], folder)]
    return "\n".join(played).rstrip() + "\n"


def _run(args, folder):
    done = cipherset(*args)
    lines = [f"exit {done.code}"]
    for name, text in (("1>", done.out), ("2>", done.err)):
        lines += [f"{name} {line}".rstrip() for line in _steady(text, folder).splitlines()]
    return lines


def _steady(text, folder):
    text = text.replace(str(folder.resolve()), "<folder>")
    for pattern, word in CHANGING:
        text = re.sub(pattern, word, text)
    return text


def _fill(folder):
    """The sources that the scripts speak of, in a folder with nothing around it."""
    write_rows(folder / "rows.csv", vector_rows(40))
    write_rows(folder / "ten.csv", vector_rows(10))
    (folder / "letter.txt").write_text("dear")
    people = "id,mail,note\n1,a@example.org,late\n2,b@example.org,fine\n3,,call me\n"
    (folder / "people.csv").write_text(people)
    write_rows(folder / "texts.jsonl", TEXTS)
    for name, text in RULES.items():
        (folder / name).write_text(text)


def _played(path, folder):
    """What the script does in a process of its own: no thread of another test prints into it."""
    _fill(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CIPHERSET_HOME", raising=False)
        patch.setenv("CIPHERSET_CACHE", "cache")
        patch.setenv("COLUMNS", "80")
        argv = [sys.executable, __file__, path]
        done = subprocess.run(
            argv, cwd=folder, stdout=subprocess.PIPE, encoding="utf-8", check=True, timeout=600
        )
    return done.stdout


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.txt")), ids=lambda path: path.stem)
def test_golden(path, tmp_path):
    assert _played(path, tmp_path).splitlines() == path.read_text("utf-8").splitlines()


def write_anew():
    """Play every script and keep what it did."""
    for path in sorted(GOLDEN.glob("*.txt")):
        with tempfile.TemporaryDirectory() as folder:
            path.write_text(_played(path, Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    if scripts := sys.argv[1:]:
        for script in scripts:
            sys.stdout.write(play(Path(script).read_text("utf-8"), Path.cwd()))
    else:
        write_anew()
