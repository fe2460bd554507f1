"""Vectors to ciphertext: one module per scheme, each with its leakage profile and its source.

Room: pipeline/encrypt. The one room that makes ciphertext. Knows core alone.
"""

from cipherset.pipeline.encrypt.cipher import SCHEMES, VectorCipher, scheme_named
from cipherset.pipeline.encrypt.scheme import Leakage, Scheme

__all__ = ["SCHEMES", "Leakage", "Scheme", "VectorCipher", "scheme_named"]
