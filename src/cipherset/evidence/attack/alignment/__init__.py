"""Attacks that recover the secret map, by what they hold: nothing, public text, labels, pairs."""

from cipherset.evidence.attack.alignment.averaging import Averaged, averaged
from cipherset.evidence.attack.alignment.centroids import CentroidAligner
from cipherset.evidence.attack.alignment.ciphertexts import CiphertextReader, Grouping, Surface
from cipherset.evidence.attack.alignment.encoder import EncoderFromPairs, SurrogateEncoder
from cipherset.evidence.attack.alignment.linear_map import LinearMap
from cipherset.evidence.attack.alignment.pairs import PairAligner, Unpaired
from cipherset.evidence.attack.alignment.permutation import PermutationMatcher
from cipherset.evidence.attack.alignment.rotation import RotationAligner
from cipherset.evidence.attack.alignment.translation import UnpairedTranslator

__all__ = [
    "Averaged",
    "CentroidAligner",
    "CiphertextReader",
    "EncoderFromPairs",
    "Grouping",
    "LinearMap",
    "PairAligner",
    "PermutationMatcher",
    "RotationAligner",
    "Surface",
    "SurrogateEncoder",
    "Unpaired",
    "UnpairedTranslator",
    "averaged",
]
