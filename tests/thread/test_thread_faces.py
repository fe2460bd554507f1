"""Faces, enrolled in an encrypted index by name and matched where the key is."""

import pytest
from thread_drawn import drawn, write_faces
from thread_samples import Owner, bytes_below

from cipherset.app.gate import Action
from cipherset.app.index.opened import placed
from cipherset.app.index.search import SearchRequest, search
from cipherset.app.workspace import Session
from cipherset.core.errors import InputError
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.interfaces.cli.settings import cache
from cipherset.pipeline.ingest import decoded

pytestmark = pytest.mark.extra
PEOPLE = range(12)
COLUMNS = ("--image", "image", "--label", "label", "--encoder", "face-resnet-128")
GIVEN = ("--approximation-factor", "8", "--accept-risk", "a test")


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory):
    """An owner, the index of three pictures of each person, and what the command said."""
    owner = Owner(tmp_path_factory.mktemp("faces"))
    owner.key("doors")
    folder = write_faces(owner.folder / "people", PEOPLE, range(3))
    index = owner.folder / "people.index"
    made = owner.ok("index", "build", folder, *COLUMNS, "--key", "doors", "--to", index, *GIVEN)
    return owner, index, made


def picture(folder, person, number=9):
    path = folder / f"{person}-{number}.png"
    path.write_bytes(drawn(person, number))
    return path


def asked(owner, index, path, *more):
    return owner.ok("search", index, "--value", path, *more)["hits"]


def test_a_new_picture_finds_the_person(enrolled, tmp_path):
    owner, index, made = enrolled
    assert (made["rows"], made["dim"], made["encoder"]) == (36, 128, "face-resnet-128")
    hits = [asked(owner, index, picture(tmp_path, who), "--top", 1)[0] for who in PEOPLE]
    found = [hit["row"] // 3 for hit in hits]  # rows are in the order of the paths
    assert sum(who == one for who, one in zip(PEOPLE, found, strict=True)) >= 10


def test_a_claim_is_verified_by_the_best_score_under_the_name(enrolled, tmp_path):
    owner, index, _ = enrolled
    own, others = [], []
    for who in PEOPLE:
        path = picture(tmp_path, who)
        for name in (who, (who + 5) % 12):
            (hit,) = asked(owner, index, path, "--label", f"person-{name:02}", "--top", 1)
            (own if name == who else others).append(hit["score"])
    assert sum(mine > theirs for mine, theirs in zip(own, others, strict=True)) >= 11
    assert asked(owner, index, picture(tmp_path, 0), "--label", "nobody") == []


def test_people_come_and_go(enrolled, tmp_path):
    owner = Owner(tmp_path)
    owner.key("doors")
    folder = write_faces(tmp_path / "people", PEOPLE, range(2))
    index = tmp_path / "people.index"
    owner.ok("index", "build", folder, *COLUMNS, "--key", "doors", "--to", index, *GIVEN)
    more = write_faces(tmp_path / "more", range(20, 21), range(2))
    added = owner.ok("index", "add", index, more)
    assert (added["changed"], added["rows"]) == (2, 26)
    path = picture(tmp_path, 20)
    hit = asked(owner, index, path, "--label", "person-20", "--top", 1)[0]
    assert hit["source"] == "more"
    owner.ok("index", "delete", index, "--source", "more", "--row", 0, "--row", 1)
    assert asked(owner, index, path, "--label", "person-20") == []
    owner.ok("key", "rotate", "doors")
    owner.ok("index", "reencrypt", index)
    assert asked(owner, index, picture(tmp_path, 3), "--label", "person-03")


def test_an_index_of_an_export_of_images_is_searched_with_them_and_takes_more(owner):
    folder = write_faces(owner.folder / "people", PEOPLE, range(5))
    to, key = owner.folder / "people.cipherset", ("--key", "support")
    risk = ("--minimize", "pca:4", "--approximation-factor", "4", "--accept-risk", "a test")
    owner.ok("protect", folder, *COLUMNS, *key, "--to", to, *risk)
    index = owner.folder / "people.index"
    owner.ok("index", "build", to, *key, "--to", index, *GIVEN)
    known = folder / "person-03" / sorted(each.name for each in (folder / "person-03").iterdir())[2]
    (hit,) = asked(owner, index, known, "--top", 1)
    assert (hit["source"], hit["row"]) == ("people.cipherset", 3 * 5 + 2)
    assert hit["score"] > 0.999
    more = write_faces(owner.folder / "more", range(20, 21), range(2))
    assert owner.ok("index", "add", index, more)["rows"] == 12 * 5 + 2
    new = picture(owner.folder, 20)
    assert asked(owner, index, new, "--label", "person-20", "--top", 1)[0]["source"] == "more"


def test_no_name_picture_or_template_is_in_the_index(enrolled):
    """Nor in the workspace in the clear: names are sealed there, pictures and vectors nowhere."""
    owner, index, _ = enrolled
    kept = bytes_below(index) | bytes_below(owner.home)
    assert not any(b"person-0" in raw for raw in kept.values())
    raw = drawn(3, 1)
    pixels = decoded(raw, 150, place="it").tobytes()
    for secret in (raw[100:140], pixels[3000:3040]):
        assert not any(secret in each for each in kept.values())


@pytest.mark.parametrize(
    ("name", "code"), [("absent.png", "source_missing"), ("broken.png", "image_unreadable")]
)
def test_a_value_is_the_path_of_an_image(enrolled, tmp_path, name, code):
    owner, index, _ = enrolled
    (tmp_path / "broken.png").write_bytes(b"no image")
    done = owner.run("search", index, "--value", tmp_path / name)
    assert (done.code, done.error["code"]) == (4, code)


def test_afar_a_text_is_no_path(enrolled, tmp_path):
    """Or whoever asks the gateway could try which files its machine has."""
    owner, _, _ = enrolled
    session = Session(owner.home, "ada", cache(), TerminalProgress())
    index = placed(session, "people.index", Action.SEARCH)
    path = str(picture(tmp_path, 0))
    with pytest.raises(InputError, match="images, not text") as refusal:
        search(session, SearchRequest(index, text=path, names_rows=False))
    assert refusal.value.code == "value_is_text"
    with pytest.raises(InputError) as refusal:
        search(session, SearchRequest(index, vector=(1.0,) * 128, names_rows=False))
    assert refusal.value.code == "search_vector"
