"""Where results may go."""

import pytest

from cipherset.app.places import Made, check_target
from cipherset.core.errors import UsageError


def _code(*args, **kwargs):
    with pytest.raises(UsageError) as refused:
        check_target(*args, **kwargs)
    assert refused.value.hint
    return refused.value.code


@pytest.mark.parametrize("made", list(Made))
def test_a_place_that_is_free(tmp_path, made):
    check_target(tmp_path / "new", made, overwrite=False)
    check_target(tmp_path / "new", made, overwrite=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("made", list(Made))
def test_a_place_that_is_taken(tmp_path, made):
    target = tmp_path / "there"
    target.mkdir()
    assert _code(target, made, overwrite=False) == "target_exists"
    assert _code(target, made, overwrite=True) == "target_not_ours"
    other = Made.BUNDLE if made is Made.CIPHERSET else Made.CIPHERSET
    (target / other).write_text("{}")
    assert _code(target, made, overwrite=True) == "target_not_ours"
    (target / made).write_text("{}")
    check_target(target, made, overwrite=True)


def test_files_links_and_parents(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        assert _code(tmp_path / name, Made.BUNDLE, overwrite=False) == "target_exists"
        assert _code(tmp_path / name, Made.BUNDLE, overwrite=True) == "target_not_ours"
    assert _code(tmp_path / "no" / "x", Made.BUNDLE, overwrite=True) == "target_parent"
    assert _code(tmp_path / "file" / "x", Made.BUNDLE, overwrite=True) == "target_parent"
