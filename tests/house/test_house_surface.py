"""What the package shows and what importing it costs."""

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

# Modules that an extra serves, and what they import of it; loaded only when they are asked for.
OF_EXTRAS = {
    "cipherset.custody.keys.providers.awskms": "boto3",
    "cipherset.custody.keys.providers.hcvault": "hvac",
    "cipherset.custody.keys.providers.oskeyring": "keyring",
    "cipherset.custody.keys.providers.pkcs11": "pkcs11",
    "cipherset.interfaces.frameworks.langchain": "langchain_core",
    "cipherset.interfaces.frameworks.llamaindex": "llama_index",
}


def test_public_names_are_those_of_all(modules):
    """For each package that declares ``__all__``: no name missing, none that is not there."""
    parted = {}
    for module in modules:
        declared = _declared(module.tree)
        if module.name.endswith("__init__.py") and declared is not None:
            public = _bound(module.tree)
            lazy = "__getattr__" in {getattr(node, "name", "") for node in module.tree.body}
            missing = public - declared
            absent = set() if lazy else declared - public
            if missing or absent:
                parted[module.name] = {"not in __all__": missing, "not there": absent}
    assert parted == {}


def test_importing_cipherset_loads_no_heavy_library():
    heavy = ("sklearn", "scipy", "onnx", "onnxruntime", "openvino", "matplotlib", "pandas", "torch")
    program = f"import sys, cipherset; print([name for name in {heavy!r} if name in sys.modules])"
    assert _run("-c", program) == "[]"


def test_commands_start_without_what_only_fitting_and_attacking_need():
    """Half of a command's start otherwise; such libraries are imported by the function they serve.

    Three commands attack as soon as they start.
    """
    heavy = ("sklearn", "scipy.stats", "pandas", "skl2onnx", "torch")
    program = (
        "import importlib, sys\n"
        "from cipherset.interfaces.cli.main import COMMANDS, module_of\n"
        "for name in set(COMMANDS) - {'assess', 'demo', 'redteam'}:\n"
        "    importlib.import_module(module_of(name))\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    assert _run("-c", program) == "[]"


def test_every_documented_name_can_be_imported():
    program = (
        "import cipherset\n"
        "names = getattr(cipherset, '__all__', [])\n"
        "print([name for name in names if not hasattr(cipherset, name)])"
    )
    assert _run("-c", program) == "[]"


def test_help_and_completion_know_each_documented_name():
    """Some are read only when asked for; ``help(cipherset)`` showed none of these."""
    program = "import cipherset; print(set(cipherset.__all__) - set(dir(cipherset)))"
    assert _run("-c", program) == "set()"


def test_every_module_can_be_imported_alone(modules):
    """In one process each, a hidden cycle would show; in one for all, most do and it is quick."""
    names = [
        ".".join(("cipherset", *Path(module.name).with_suffix("").parts)).removesuffix(".__init__")
        for module in modules
    ]
    absent = {name for name, needed in OF_EXTRAS.items() if find_spec(needed) is None}
    assert set(OF_EXTRAS) <= set(names)
    here = [name for name in names[::-1] if name not in absent]
    program = f"import importlib\nfor name in {here!r}: importlib.import_module(name)"
    assert _run("-c", program) == ""


def _run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:cipherset", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _declared(tree: ast.Module) -> set[str] | None:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return set(ast.literal_eval(node.value))
    return None


def _bound(tree: ast.Module) -> set[str]:
    """Return the public names the package defines or takes from its own modules."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cipherset"):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {name for name in names if not name.startswith("_")}
