"""Made-up texts whose vectors say exactly which words they hold."""

import numpy as np

from cipherset.evidence.attack.inversion.pairs import Pairs

NOUNS = ["knee", "surgery", "invoice", "parcel", "license", "teacher", "piano", "rent", "laptop"]
NAMES = ["Carla", "Robert", "Maya", "Priya", "Oscar", "Nina"]


class Corpus:
    """``pairs(n, ...)`` makes rows: a name, three nouns, and a vector that is linear in them."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.of_word = {word: rng.normal(size=24) for word in NOUNS + NAMES}

    def pairs(self, n, *, seed, noise=0.0, said=True):
        rng = np.random.default_rng(seed)
        texts, vectors, labels = [], [], []
        for _ in range(n):
            name, nouns = rng.choice(NAMES), rng.choice(NOUNS, 3, replace=False)
            texts.append(f"The {nouns[0]} and {nouns[1]} of {name} with a {nouns[2]}")
            vectors.append(sum(self.of_word[w] for w in [name, *nouns]))
            labels.append(NOUNS.index(sorted(nouns)[0]))
        clean = np.array(vectors) / 5 if said else rng.normal(size=(n, 24))
        labels = np.array(labels)
        return Pairs(clean + noise * rng.normal(size=clean.shape), texts, labels, clean)
