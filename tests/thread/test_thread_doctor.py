"""``doctor``: what is well, what is not, and what to do; it changes nothing."""

from thread_samples import cipherset


def _checks(*args):
    done = cipherset("doctor", *args, "--json")
    assert done.code == 0
    return {check["name"]: check for check in done.json["checks"]}


def test_without_a_workspace_none_is_made(tmp_path):
    home = tmp_path / "none"
    checks = _checks("--home", home)
    assert not checks["workspace"]["ok"]
    assert "cipherset init" in checks["workspace"]["hint"]
    assert not home.exists()
    assert all(set(check) >= {"name", "ok", "hint"} for check in checks.values())


def test_a_key_that_lies_beside_what_unwraps_it(owner):
    before = len(owner.events())
    checks = _checks("--home", owner.home)
    assert not checks["key support"]["ok"]
    assert "beside it" in checks["key support"]["hint"]
    assert checks["ledger"]["ok"]
    assert checks["kek"]["ok"]
    assert len(owner.events()) == before


def test_what_others_may_read(owner):
    (owner.home / "kek").chmod(0o644)
    owner.home.chmod(0o755)
    checks = _checks("--home", owner.home)
    assert (checks["kek"]["ok"], checks["workspace"]["ok"]) == (False, False)
    assert "chmod" in checks["kek"]["hint"]


def test_a_broken_workspace_is_told(owner):
    (owner.home / "ledger.sqlite").write_bytes(b"no database" * 100)
    checks = _checks("--home", owner.home)
    assert not checks["workspace opens"]["ok"]


def test_a_team_whose_names_are_claims(tmp_path):
    home = tmp_path / "team"
    assert cipherset("init", "--policy", "team", "--home", home, "--as", "root").code == 0
    checks = _checks("--home", home)
    assert "root" in checks["principals prove who they are"]["hint"]
