"""Compile the noise where there is a C compiler; without one the package is pure Python.

Called by hatchling for ``pip install`` and for wheels, editable or not; needs nothing but the
standard library and hatchling. What it makes is found by ``cipherset.pipeline.encrypt.native``.
"""

import hashlib
import shlex
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags

NATIVE = Path("src/cipherset/pipeline/encrypt/native")
# No flag names a processor: the wheel runs on all of its kind. Contraction to fused
# multiply-add, and loops over roots, need to be allowed; no other freedom is taken.
FLAGS = [
    "-O3",
    "-std=gnu11",
    "-ffp-contract=fast",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fPIC",
    "-shared",
]
TIMEOUT_S = 120


class NoiseBuildHook(BuildHookInterface[Any]):
    """Adds the compiled noise to a wheel, or leaves it out."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile into the source tree, where an editable installation finds it too."""
        library = compiled(Path(self.root) / NATIVE)
        if library is None:
            self.app.display_info(
                "cipherset: no C compiler that can make the noise; numpy's is used"
            )
        elif version == "standard":
            build_data["artifacts"].append(f"/{NATIVE.as_posix()}/{library.name}")
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{platform()}"


def compiled(folder: Path) -> Path | None:
    """Make the library of ``folder / "ball.c"`` the only one there; None if it cannot be."""
    source = folder / "ball.c"
    library = folder / f"ball-{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}.so"
    try:
        # Put in place whole: a process may have the one before in use.
        with tempfile.TemporaryDirectory(dir=folder, prefix=".build-") as made:
            target = Path(made) / library.name
            done = any(run(compiler, source, target) for compiler in compilers())
            kept = {target.replace(library)} if done else set()
            for other in set(folder.glob("ball-*.so")) - kept:
                other.unlink()
            return library if done else None
    except OSError:  # a folder that cannot be written to
        return None


def compilers() -> list[str]:
    """What may compile, the one that made this Python first."""
    own = shlex.split(sysconfig.get_config_var("CC") or "cc")[0]
    return list(dict.fromkeys((own, "cc", "gcc", "clang")))


def run(compiler: str, source: Path, target: Path) -> bool:
    """Whether ``compiler`` could make ``target``."""
    command = [compiler, *FLAGS, str(source), "-o", str(target), "-lm"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and target.is_file()


def platform() -> str:
    """The platform tag that says this system and promises nothing about others (no manylinux)."""
    names = (tag.platform for tag in sys_tags())
    return next(name for name in names if "manylinux" not in name and "musllinux" not in name)
