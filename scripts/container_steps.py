"""Runs the steps of the Containerfile without a container engine, and without its base image.

Usage: python scripts/container_steps.py

Each COPY copies from the checkout (or from the stage before), each RUN runs with this Python, in a
folder of its own; of the base image and its user nothing is shown. Ends with the image's ENTRYPOINT
making a workspace. It downloads what requirements/base.txt names.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
PREFIX = "/opt/cipherset"
FINAL = "/usr/local"


def main() -> None:
    """The steps, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        entrypoint: list[str] = []
        for word, rest in steps((CHECKOUT / "deploy" / "container" / "Containerfile").read_text()):
            if word == "COPY":
                copied(rest.split(), root)
            elif word == "RUN":
                ran(rest.split(), root)
            elif word == "ENTRYPOINT":
                entrypoint = json.loads(rest)
        ran([*entrypoint, "init", "--home", str(root / "workspace"), "--json"], root)


def steps(text: str) -> list[tuple[str, str]]:
    """The instructions, in order; each is one line."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def copied(words: list[str], root: Path) -> None:
    """What COPY does: from the checkout, or from the stage before."""
    if words[0] == "--from=build":
        print("==", "COPY", *words, flush=True)
        shutil.copytree(inside(words[1], root), inside(words[2], root))
        return
    *sources, target = words
    for source in sources:
        to = root / "src" / (Path(source) if target == "./" else Path(target))
        to.parent.mkdir(parents=True, exist_ok=True)
        if (CHECKOUT / source).is_dir():
            shutil.copytree(CHECKOUT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(CHECKOUT / source, to)


def ran(words: list[str], root: Path) -> None:
    """What RUN does, with what was copied so far."""
    print("==", "RUN", *words, flush=True)
    words = [str(inside(word, root)) if word == PREFIX else word for word in words]
    place = inside(FINAL, root)
    packages = next(place.glob("lib/python3*/site-packages"), None)
    found = {"PYTHONPATH": str(packages)} if packages else {}
    if words[0] == "python":
        words[0] = sys.executable
    elif packages:
        words[0] = str(place / "bin" / words[0])
    told = [f"{name}={value}" for name, value in found.items()]
    subprocess.run(["env", "-u", "PYTHONPATH", *told, *words], cwd=root / "src", check=True)


def inside(path: str, root: Path) -> Path:
    """Where a path of the image is here."""
    return root / path.lstrip("/")


if __name__ == "__main__":
    main()
