"""The demo as a user runs it, and its page as a person sees it."""

import json
import re
import shutil
import subprocess

import pytest
from matplotlib.image import imread
from thread_samples import cipherset

pytestmark = pytest.mark.soak
# Quiet flags: a fresh profile, no background requests, no sandbox where tests run as root.
CHROMIUM = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="module")
def demo(minilm, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    unused = folder / "unused"
    done = cipherset("demo", "--to", folder / "demo", "--json", "--home", unused)
    assert done.code == 0, done.out
    assert not unused.exists()
    return folder / "demo", done.json


def browse(tmp_path, *args):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    command = [chromium, *CHROMIUM, f"--user-data-dir={tmp_path / 'profile'}", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=True).stdout


def test_demo(demo):
    folder, shown = demo
    accuracy = {"plain", "owner_head", "anchor_control", "encrypted", "wrong_key", "chance"}
    assert shown.keys() >= {"rows", "accuracy", "reidentification", "settings", "seconds"}
    assert shown["accuracy"].keys() >= accuracy
    assert shown["reidentification"].keys() >= {"unprotected", "exported", "chance"}
    assert json.loads((folder / "report.json").read_text()) == shown
    again = cipherset("demo", "--to", folder, "--json")
    assert (again.code, again.error["code"]) == (2, "target_exists")


def test_what_the_demo_promises(demo):
    _, shown = demo
    accuracy, reid = shown["accuracy"], shown["reidentification"]
    assert accuracy["encrypted"] > accuracy["plain"] - 0.03
    assert accuracy["wrong_keys_tried"] >= 30
    assert reid["unprotected"] > 0.99
    assert reid["reid_high"] < shown["settings"]["max_reid"]


def test_the_page_holds_no_text_of_the_reviews(demo):
    folder, _ = demo
    page = (folder / "report.html").read_text()
    rows = (folder / "owner" / "reviews.csv").read_text().splitlines()[1:]
    assert not [row for row in rows if len(row) > 60 and row[:50] in page]
    assert not re.search(r"https?://|<script|@import", page)


@pytest.mark.needs("chromium")
def test_the_page_in_a_browser(demo, tmp_path):
    folder, shown = demo
    address = (folder / "report.html").as_uri()
    dom = browse(tmp_path, "--dump-dom", address)
    assert "In words:" in dom
    assert shown["verdict"].split(";")[0] in dom
    for width in (1000, 400):
        picture = tmp_path / f"{width}.png"
        browse(tmp_path, f"--window-size={width},3600", f"--screenshot={picture}", address)
        pixels = imread(picture)[..., :3]
        colored = (pixels.max(axis=2) - pixels.min(axis=2) > 0.25).mean()
        assert colored > 0.002, "neither bars nor dots are drawn"
