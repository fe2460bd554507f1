"""Every command and every piece of Python on a page for users runs, in the order of the page."""

import shutil
from pathlib import Path

import pytest
from docs_blocks import PARENTS, ROOT, blocks, goes_on_from, pages, run_page

# Pages that take long and whose commands other tests run too: only `make test-all` runs them.
LONG = {
    f"docs/how-to/{name}.md"
    for name in [
        "add-gaussian-noise",
        "as-auditor",
        "as-data-owner",
        "as-key-custodian",
        "as-operator",
        "as-reviewer",
        "as-scientist",
        "assess-an-export",
        "audit",
        "back-up",
        "bind-a-key",
        "calibrate-first",
        "clean-training-data",
        "columns-beside-text",
        "embed-faster",
        "export-again",
        "give-rows-several-labels",
        "guard-outputs",
        "identity",
        "keep-an-epsilon",
        "keep-conversations-together",
        "lab",
        "match-faces",
        "measure-ciphertexts-of-another-scheme",
        "policies",
        "pool-rows",
        "protect-images",
        "proxy",
        "rank-rows",
        "red-team",
        "respond",
        "roles",
        "rotate-a-key",
        "sanitize",
        "search",
        "see-risk",
        "tenants",
        "trace-lineage",
        "train-at-the-gate",
        "train-together",
        "use-another-encoder",
        "work-as-a-team",
    ]
}
KINDS = {"sh", "python", "text", "console"}


def _asked_of(page: str) -> object:
    """The page, with the programs of the system that its commands are."""
    words = {word for block in blocks(page) for word in block.text.split()}
    marks = [pytest.mark.needs(name) for name in ("curl", "openssl") if name in words]
    if page in LONG:
        marks.append(pytest.mark.soak)
    return pytest.param(page, marks=marks)


@pytest.mark.parametrize("page", [_asked_of(page) for page in pages() if page not in PARENTS])
def test_the_blocks_of_a_page_run(page, left_by, tmp_path):
    run_page(page, _folder(page, left_by, tmp_path), extras=False)


@pytest.mark.parametrize("page", [_asked_of(page) for page in PARENTS])
def test_a_page_on_which_others_go_on_runs(page, left_by):
    assert list(left_by[page].iterdir()) != []


@pytest.mark.extra
@pytest.mark.parametrize(
    "page", [page for page in pages() if any("needs" in block.notes for block in blocks(page))]
)
def test_the_blocks_that_need_extras_run(page, left_by, tmp_path):
    run_page(page, _folder(page, left_by, tmp_path), extras=True)


@pytest.mark.parametrize("page", pages())
def test_each_block_is_of_a_kind_the_runner_knows(page):
    assert {block.kind for block in blocks(page)} <= KINDS


@pytest.mark.parametrize("page", pages())
def test_no_fence_escapes_the_runner(page):
    fences = (ROOT / page).read_text(encoding="utf-8").count("\n```")
    assert fences == 2 * len(blocks(page))


def _folder(page: str, left_by: dict[str, Path], tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    parent = goes_on_from(page)
    if parent is None:
        folder.mkdir()
    else:
        shutil.copytree(left_by[parent], folder)
    return folder
