"""No way around the gate: the operations are taken from the source, not from a list.

An operation is a function of ``app`` that opens the workspace. It either asks the gate (itself, or
through a function of ours that it calls), or nothing that it reaches can open a key, unseal a row
or run a model.
"""

import ast
from collections import defaultdict

# What hands out a secret, a plain row or a model's answer.
SENSITIVE = {
    "AesGcmSealer",
    "RowIdentity",
    "open_cipher",
    "open_gateway",
    "read_measured",
    "read_minimizer",
    "read_state",
    "relying_on",
    "run_labels",
    "run_values",
    "unseal",
}
KEY_OPENERS = ("ring.open", "workspace.ring.open")
ASKS = {"act", "check"}


def _calls(function):
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def _graph(modules):
    """Function name to what it calls; names are unique enough within ``app``, and merged if not."""
    calls = defaultdict(set)
    for module in modules:
        if not module.name.startswith("app/"):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef):
                calls[module.name, node.name].update(_calls(node))
    return calls


def _reached(calls, start):
    """Every call that ``start`` can come to, through functions of ``app``."""
    by_name = defaultdict(list)
    for module, name in calls:
        by_name[name].append((module, name))
    seen, waiting, found = set(), [start], set()
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        for call in calls[one]:
            found.add(call)
            name = call.rsplit(".", 1)[-1]
            same = [(m, n) for m, n in by_name[name] if m == one[0]] or by_name[name]
            waiting += same
    return found


def _operations(modules):
    calls = _graph(modules)
    return {
        start: _reached(calls, start) for start, made in calls.items() if "open_workspace" in made
    }


def _asks(found):
    return any(
        call.rsplit(".", 1)[-1] in ASKS and ("gate" in call or call == "act") for call in found
    )


def _is_sensitive(found):
    names = {call.rsplit(".", 1)[-1] for call in found}
    return bool(names & SENSITIVE) or any(call.endswith(KEY_OPENERS) for call in found)


def test_there_are_operations(modules):
    found = {name for _, name in _operations(modules)}
    assert {"protect", "evaluate", "predict", "train_at_gate", "assess", "deploy"} <= found


def test_every_operation_that_touches_something_asks_the_gate(modules):
    around = [
        f"{module}:{name}"
        for (module, name), found in _operations(modules).items()
        if _is_sensitive(found) and not _asks(found)
    ]
    assert around == []


def test_only_operations_touch_keys_rows_and_models(modules):
    """Interfaces translate: they reach none of it by themselves."""
    around = [
        module.at(node)
        for module in modules
        if module.name.startswith("interfaces/")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rsplit(".", 1)[-1] in SENSITIVE
    ]
    assert around == []


def test_a_way_around_would_be_found():
    source = """
def leak(session):
    with open_workspace(session) as workspace:
        return _rows(workspace)

def _rows(workspace):
    return read_state(workspace.exports)
"""
    calls = {("app/x.py", node.name): set(_calls(node)) for node in ast.parse(source).body}
    found = _reached(calls, ("app/x.py", "leak"))
    assert _is_sensitive(found)
    assert not _asks(found)
