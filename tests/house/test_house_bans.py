"""What package code may not say, and the few places that may say it.

A line that must bend a rule says why: ``# house: the reason``.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

PICKLES: Final = {
    "pickle",
    "cPickle",
    "_pickle",
    "joblib",
    "dill",
    "cloudpickle",
    "shelve",
    "marshal",
}
REVEALING: Final = ("core/secret.py", "custody/keys/", "pipeline/encrypt/")
ENVIRONMENT: Final = "interfaces/cli/settings.py"
KEYED: Final = ("custody/keys/", "pipeline/encrypt/")


def test_no_assert(modules):
    assert _found(modules, ast.Assert) == []


def test_no_tunnel_of_keyword_arguments(modules):
    tunnels = [
        f"{module.at(node)} **{node.args.kwarg.arg}"
        for module, node in _nodes(modules, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        if node.args.kwarg is not None and not module.excuses(node)
    ]
    assert tunnels == []


def test_no_catch_all(modules):
    """But to note the failure and let it go on, whole."""
    catches = [
        module.at(node)
        for module, node in _nodes(modules, ast.ExceptHandler)
        if (node.type is None or _words(node.type) & {"Exception", "BaseException"})
        and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)
    ]
    assert catches == []


def test_no_pickle(modules):
    pickles = [where for where, name in _imports(modules) if name.split(".")[0] in PICKLES]
    assert pickles == []


def test_no_module_changes_what_threads_share(modules):
    """A mode is given with the file, a folder with the path: others would write under the umask."""
    changes = [
        module.at(node)
        for module, node in _nodes(modules, ast.Attribute)
        if node.attr in {"umask", "chdir", "fchdir", "setlocale"} and not module.excuses(node)
    ]
    assert changes == []


def test_only_settings_reads_the_environment(modules):
    readers = [
        module.at(node)
        for module, node in _nodes(modules, ast.Attribute)
        if node.attr in {"environ", "environb", "getenv"} and module.name != ENVIRONMENT
    ]
    readers += [
        where
        for where, name in _imports(modules)
        if name in {"os.environ", "os.getenv"} and ENVIRONMENT not in where
    ]
    assert readers == []


def test_only_keys_and_encrypt_reveal_a_secret(modules):
    revealing = [
        module.at(node)
        for module, node in _nodes(modules, ast.Attribute)
        if node.attr == "reveal" and not module.name.startswith(REVEALING)
    ]
    assert revealing == []


def test_only_the_workspace_makes_a_ring(modules):
    """There it is given the gate, which is asked before a secret is opened."""
    makers = [
        module.name
        for module, node in _nodes(modules, ast.Call)
        if "KeyRing" in _words(node.func) and not module.name.startswith("custody/keys/")
    ]
    assert makers == ["app/workspace.py"]


def test_keys_and_encrypt_draw_only_from_the_operating_system_or_the_key(modules):
    keyed = [module for module in modules if module.name.startswith(KEYED)]
    drawn = [
        where
        for where, name in _imports(keyed)
        if name.split(".")[0] == "random" or name.startswith("numpy.random")
    ]
    drawn += [
        module.at(node)
        for module, node in _nodes(keyed, ast.Attribute)
        if node.attr == "random" and _words(node.value) & {"np", "numpy"}
    ]
    assert drawn == []


def test_no_test_is_skipped_by_hand(root):
    """A test that cannot run is marked ``needs``, ``attack``, ``soak`` or ``extra``."""
    by_hand = re.compile(r"pytest\.(mark\.(skip|skipif|xfail)\b|(skip|importorskip)\()")
    skipped = [
        f"{path.relative_to(root)}:{number}"
        for path in sorted((root / "tests").rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if by_hand.search(line)
    ]
    assert skipped == []


def _nodes(modules, kinds) -> Iterator[tuple]:
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, kinds):
                yield module, node


def _found(modules, kinds) -> list[str]:
    return [module.at(node) for module, node in _nodes(modules, kinds)]


def _imports(modules) -> Iterator[tuple[str, str]]:
    """Yield each imported name, dotted in full, with where it is imported."""
    for module, node in _nodes(modules, (ast.Import, ast.ImportFrom)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield module.at(node), alias.name
        else:
            for alias in node.names:
                yield module.at(node), f"{node.module}.{alias.name}"


def _words(node: ast.AST) -> set[str]:
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
