"""A folder of images, from end to end: protected, trained on, predicted, attacked, forgotten."""

import base64
import io
import json
import shutil
import struct
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uvicorn
from PIL import Image
from starlette.testclient import TestClient
from thread_samples import Owner, bytes_below

from cipherset.app.audit.find import find_text
from cipherset.app.serving.models import plain
from cipherset.app.serving.models.answer import Question, check_question
from cipherset.app.workspace import Session, hold, open_workspace
from cipherset.core.errors import InputError
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.interfaces.cli.settings import cache
from cipherset.interfaces.client.client import Client
from cipherset.interfaces.http.app import build_app
from cipherset.interfaces.http.identity.claimed import ClaimedIdentity
from cipherset.interfaces.http.services import Services
from cipherset.pipeline.export import open_cipherset
from cipherset.pipeline.ingest import MOST_IMAGE_BYTES

CANARY = "CANARY-51fe"
pytestmark = pytest.mark.extra
COLUMNS = ("--image", "image", "--label", "label")
SETTINGS = ("--minimize", "pca:4", "--approximation-factor", "2", "--accept-risk", "a test")
N_EACH = 60
WHO = "zoe-4711"
HOST = "http://127.0.0.1"


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


def in_base64(files) -> list[str]:
    return [base64.b64encode(raw).decode() for raw in files]


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header claims that many pixels, and which has none of them."""

    def chunk(kind: bytes, raw: bytes) -> bytes:
        return struct.pack(">I", len(raw)) + kind + raw + struct.pack(">I", zlib.crc32(kind + raw))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"")), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


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


def test_calibrate_takes_images(shown, tmp_path):
    """Plain vectors and every setting on the same axes; by the encoder of the fewest numbers."""
    owner, folder, _ = shown
    given = ("--encoder", "face-resnet-128", "--max-reid", "0.5", "--to", tmp_path / "frontier")
    found = owner.ok("calibrate", folder, *COLUMNS, *given)
    assert found["plain"] >= 0.9
    assert {each["scheme"] for each in found["frontier"]} == {"rsap/1", "sap-perm"}
    assert max(each["utility"] for each in found["frontier"] if each["offered"]) >= 0.8
    assert CANARY not in (tmp_path / "frontier" / "report.html").read_text()
    assert CANARY not in json.dumps(found)


def test_calibrate_refuses_what_is_no_image(shown, tmp_path):
    owner = shown[0]
    (tmp_path / "bad" / "down").mkdir(parents=True)
    (tmp_path / "bad" / "down" / "0.png").write_bytes(CANARY.encode())
    done = owner.run("calibrate", tmp_path / "bad", *COLUMNS, "--to", tmp_path / "frontier")
    assert (done.code, done.error["code"]) == (4, "image_unreadable")
    assert CANARY not in done.out + done.err


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


@contextmanager
def listening(app):
    """The app on a port of this machine; its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(600)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def deployed(shown, tmp_path_factory):
    """A copy whose model is deployed behind its routes, and its owner."""
    owner = Owner(tmp_path_factory.mktemp("deployed") / "copy")
    shutil.copytree(shown[0].folder, owner.folder)
    owner.ok("deploy", owner.folder / "stripes.bundle", "--name", "stripes")
    session = Session(owner.home, "ada", cache(), TerminalProgress())
    identity = ClaimedIdentity("ada", lambda: True)
    with hold(session) as held:
        app = build_app(Services(held, identity))
        with TestClient(app, base_url=HOST, client=("127.0.0.1", 50_000)) as client:
            yield owner, client


def refused(client, body) -> tuple[int, str]:
    response = client.post("/v1/predict", json={"model": "stripes"} | body)
    assert CANARY not in response.text
    return response.status_code, response.json()["error"]["code"]


def test_a_deployed_model_answers_for_files(deployed, tmp_path):
    """As the command line does; and whoever has the file finds the event."""
    owner, client = deployed
    files = [picture("across" if i % 2 else "down", 1000 + i) for i in range(4)]
    told = client.post("/v1/predict", json={"model": "stripes", "images": in_base64(files)})
    assert told.status_code == 200, told.text
    (tmp_path / "new").mkdir()
    for i, raw in enumerate(files):
        (tmp_path / "new" / f"{i}.png").write_bytes(raw)
    mine = owner.ok("predict", owner.folder / "stripes.bundle", tmp_path / "new")["predictions"]
    assert [each["label"] for each in told.json()["predictions"]] == [x["label"] for x in mine]
    session = Session(owner.home, "ada", cache(), TerminalProgress())
    (event,) = find_text(session, files[2])["events"]
    assert (event["action"], event["outcome"]) == ("predict", "done")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"texts": ["hello"]}, 422, "value_is_text"),
        ({"vectors": [[1.0] * 1280]}, 422, "value_is_vector"),
        ({"texts": ["hello"], "images": ["AAAA"]}, 422, "inputs_twice"),
        ({"images": [""]}, 422, "image_base64"),
        ({"images": ["AAA"]}, 422, "image_base64"),
        ({"images": ["AA==\n"]}, 422, "image_base64"),
        ({"images": ["AB=="]}, 422, "image_base64"),  # of the bytes of AA==
        ({"images": ["AA=="] * 33}, 422, "request_form"),
        ({"images": in_base64([picture("across", 1), CANARY.encode()])}, 422, "image_unreadable"),
        ({"images": in_base64([picture("across", 1)[:-30]])}, 422, "image_unreadable"),
        ({"images": in_base64([bomb(7000, 7000)])}, 422, "image_too_large"),
        ({"images": in_base64([bomb(60_000, 60_000)])}, 422, "image_too_large"),
    ],
)
def test_what_is_refused_as_the_command_line_refuses_it(deployed, body, status, code):
    assert refused(deployed[1], body) == (status, code)


def test_a_file_and_a_body_have_their_limits(deployed):
    largest = in_base64([bytes(MOST_IMAGE_BYTES + 1)])
    assert refused(deployed[1], {"images": largest}) == (422, "image_too_large")
    assert refused(deployed[1], {"images": ["A" * (48 << 20)]}) == (413, "body_too_large")


def test_one_image_is_decoded_at_a_time_whoever_asks(deployed, monkeypatch):
    """A file of a few bytes may take a gigabyte while it is decoded."""
    busy, most, really = [], [], plain.decoded

    def decoded(raw, side, *, place):
        busy.append(place)
        most.append(len(busy))
        try:
            return really(raw, side, place=place)
        finally:
            busy.pop()

    monkeypatch.setattr(plain, "decoded", decoded)
    body = {"images": in_base64([picture("down", 2000 + i) for i in range(8)])}
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda _: status_of(deployed[1], body), range(4)))
    assert told == [200] * 4
    assert most == [1] * 32


def status_of(client, body) -> int:
    return client.post("/v1/predict", json={"model": "stripes"} | body).status_code


def test_more_images_than_are_answered_at_once():
    with pytest.raises(InputError, match="33 images") as refusal:
        check_question(Question(images=(b"a",) * 33))
    assert refusal.value.code == "too_many_inputs"


def test_the_client_sends_files_and_verifies_what_comes_back(deployed):
    owner, served = deployed
    with open_workspace(Session(owner.home, "ada", cache(), TerminalProgress())) as workspace:
        fingerprint = workspace.fingerprint
    with listening(served.app) as url, Client(url) as gateway:
        found = gateway.predict("stripes", images=[picture("down", 1001)], fingerprint=fingerprint)
        assert found.labels == ["down"]
        assert found.statement.name == "stripes"


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
