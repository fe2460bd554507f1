"""Vectors to ciphertext: one module per scheme, each with its leakage profile and its source.

Room: pipeline/encrypt. The one room that makes ciphertext. Knows core alone.
"""

from cipherset.pipeline.encrypt.cipher import VectorCipher
from cipherset.pipeline.encrypt.gaussian import Mechanism, compose, mechanism, parse_noise
from cipherset.pipeline.encrypt.native import noise_engine
from cipherset.pipeline.encrypt.scheme import Leakage, Scheme
from cipherset.pipeline.encrypt.schemes import SCHEMES, scheme_named

__all__ = [
    "SCHEMES",
    "Leakage",
    "Mechanism",
    "Scheme",
    "VectorCipher",
    "compose",
    "mechanism",
    "noise_engine",
    "parse_noise",
    "scheme_named",
]
