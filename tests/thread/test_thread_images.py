"""A folder of images, from end to end: protected, trained on, predicted, attacked, forgotten."""

import io
import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from thread_samples import Owner, bytes_below

from cipherset.app.serving.models.answer import Question
from cipherset.app.serving.models.predict import open_models
from cipherset.app.workspace import Session, hold
from cipherset.core.errors import InputError
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.interfaces.cli.settings import cache
from cipherset.pipeline.export import open_cipherset

CANARY = "CANARY-51fe"
pytestmark = pytest.mark.extra
COLUMNS = ("--image", "image", "--label", "label")
SETTINGS = ("--minimize", "pca:4", "--approximation-factor", "2", "--accept-risk", "a test")
N_EACH = 60
WHO = "zoe-4711"


def picture(kind: str, seed: int) -> bytes:
    """Broad stripes, across or down, in two colors of chance; the camera tells who took it."""
    rng = np.random.default_rng(seed)
    pixels = np.empty((24, 24, 3))
    pixels[:] = rng.integers(0, 120, 3)
    pixels[rng.integers(4) :: 6] = rng.integers(130, 256, 3)
    pixels += rng.normal(0, 8, pixels.shape)
    turned = pixels if kind == "across" else pixels.transpose(1, 0, 2)
    exif = Image.Exif()
    exif[0x013B] = CANARY
    out = io.BytesIO()
    image = Image.fromarray(np.clip(turned, 0, 255).astype(np.uint8))
    image.save(out, "PNG", exif=exif)
    return out.getvalue()


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """An owner, the folder that was protected, and what the command said; read only."""
    owner = Owner(tmp_path_factory.mktemp("images"))
    owner.key("support")
    folder = owner.folder / "stripes"
    for kind in ("across", "down"):
        (folder / kind).mkdir(parents=True)
        for i in range(N_EACH):
            raw = picture(kind, 2 * i + (kind == "down"))
            (folder / kind / f"{CANARY}-{i:03}.png").write_bytes(raw)
    target = owner.folder / "stripes.cipherset"
    protect = ("protect", folder, *COLUMNS, "--key", "support", "--to", target, *SETTINGS)
    told = owner.ok(*protect)
    owner.ok("train", target, "--to", owner.folder / "stripes.bundle")
    return owner, folder, told


@pytest.fixture
def changed(shown, tmp_path):
    """A copy to change."""
    owner, folder, _ = shown
    copy = Owner(tmp_path / "copy")
    shutil.copytree(owner.folder, copy.folder)
    return copy, copy.folder / folder.name


def test_it_is_an_export_like_any_other(shown):
    owner, _, told = shown
    assert told["rows"]["train"] + told["rows"]["test"] == 2 * N_EACH
    assert told["utility"]["plain"] >= 0.9
    assert told["utility"]["encrypted"] >= 0.8
    assert told["sanitized"] == {}
    manifest = open_cipherset(owner.folder / "stripes.cipherset").manifest
    assert (manifest.encoder.name, manifest.encoder.dim) == ("efficientnet-lite0", 1280)
    assert manifest.settings["images"] is True
    assert manifest.classes == ("across", "down")


def test_the_model_answers_for_a_path_and_for_a_folder(shown, tmp_path):
    owner, folder, _ = shown
    bundle = owner.folder / "stripes.bundle"
    assert owner.ok("evaluate", bundle, folder)["accuracy"] >= 0.8
    new = tmp_path / "new"
    new.mkdir()
    for i in range(6):
        (new / f"{i}.png").write_bytes(picture("across" if i % 2 else "down", 1000 + i))
    labels = [each["label"] for each in owner.ok("predict", bundle, new)["predictions"]]
    assert len(labels) == 6
    alone = [
        owner.ok("predict", bundle, "--value", new / f"{i}.png")["predictions"][0]["label"]
        for i in range(2)
    ]
    assert alone == labels[:2]


@pytest.mark.parametrize(
    ("name", "code"), [("absent.png", "source_missing"), ("broken.png", "image_unreadable")]
)
def test_a_value_is_the_path_of_an_image(shown, tmp_path, name, code):
    owner = shown[0]
    (tmp_path / "broken.png").write_bytes(CANARY.encode())
    done = owner.run("predict", owner.folder / "stripes.bundle", "--value", tmp_path / name)
    assert (done.code, done.error["code"]) == (4, code)
    assert CANARY not in done.out + done.err


def test_it_is_not_made_twice_and_one_changed_pixel_is_another_source(changed):
    owner, folder = changed
    again = ("protect", folder, *COLUMNS, "--key", "support", *SETTINGS)
    assert owner.ok(*again, "--to", owner.folder / "b")["repeated"] is True
    victim = next((folder / "down").iterdir())
    victim.write_bytes(picture("down", 5000))
    told = owner.ok(*again, "--to", owner.folder / "c")
    assert told["repeated"] is False
    assert len(told["joined_with"]) == 1  # the others are the same by their pixels


def test_public_images_are_for_the_attacker(shown):
    owner, folder, _ = shown
    told = owner.ok("assess", owner.folder / "stripes.cipherset", "--public", folder)
    assert {"K1", "K4"} <= {each["knowledge"] for each in told["attacks"]}
    done = owner.run("assess", owner.folder / "stripes.cipherset", "--records", folder)
    assert (done.code, done.error["code"]) == (4, "records_text")


def test_nothing_that_a_file_says_beside_its_pixels_is_anywhere(shown):
    owner = shown[0]
    kept = bytes_below(owner.home) | bytes_below(owner.folder / "stripes.cipherset")
    assert not any(CANARY.encode() in raw for raw in kept.values())
    assert not any(CANARY in json.dumps(event.body) for event in owner.events())


def test_a_deployed_model_takes_images_where_the_key_is_only(changed):
    owner, _ = changed
    owner.ok("deploy", owner.folder / "stripes.bundle", "--name", "stripes")
    session = Session(owner.home, "ada", cache(), TerminalProgress())
    with hold(session) as held, open_models(held) as models:
        for question in (
            Question(texts=("hello",)),
            Question(vectors=np.full((1, 1280), 1280**-0.5, dtype=np.float32)),
        ):
            with pytest.raises(InputError, match="takes images") as refusal:
                models.predict(held, "stripes", question)
            assert refusal.value.code == "value_is_image"


def test_either_images_or_text(owner, tmp_path):
    more = ("--text", "label", "--key", "support", "--to", tmp_path / "out")
    done = owner.run("protect", tmp_path, *COLUMNS, *more)
    assert (done.code, done.error["code"]) == (2, "usage")
    assert "image column" in done.error["message"]


def test_a_grant_may_be_asked_for_a_folder(shown):
    owner, folder, _ = shown
    done = owner.run("grant", "request", "scan", folder, "--for", "a look")
    assert done.code == 0, done.out


def test_whose_images_they_are_is_told_by_a_column(owner):
    """Of a Parquet file; and they are found again by their pixels in one without that column."""
    kinds = ["across", "down"] * N_EACH
    held = {
        "shot": [picture(kind, i) for i, kind in enumerate(kinds)],
        "kind": kinds,
        "who": [WHO if i in {4, 9} else f"p{i % 20}" for i in range(2 * N_EACH)],
    }
    source = owner.folder / "shots.parquet"
    pq.write_table(pa.table(held), source)
    columns = ("--image", "shot", "--label", "kind", "--key", "support")
    owner.ok("protect", source, *columns, "--to", owner.folder / "out", *SETTINGS)
    told = owner.ok("forget", WHO, "--source", source, "--column", "who", "--foresee")
    assert told["rows"] == 2
