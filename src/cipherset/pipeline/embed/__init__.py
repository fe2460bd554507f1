"""Texts to unit-norm vectors, by an encoder pinned by digest."""

from cipherset.pipeline.embed.bundle import is_built, read_bundle, write_bundle, write_quantized
from cipherset.pipeline.embed.directory import ModelFiles, read_directory
from cipherset.pipeline.embed.encoder import TextEncoder
from cipherset.pipeline.embed.identity import BertSettings, EncoderIdentity, Pooling
from cipherset.pipeline.embed.quantized import METHOD as QUANTIZATION
from cipherset.pipeline.embed.runtime import METHOD as BFLOAT16
from cipherset.pipeline.embed.runtime import multiplies_bfloat16
from cipherset.pipeline.embed.weights import WeightsFormat

__all__ = [
    "BFLOAT16",
    "QUANTIZATION",
    "BertSettings",
    "EncoderIdentity",
    "ModelFiles",
    "Pooling",
    "TextEncoder",
    "WeightsFormat",
    "is_built",
    "multiplies_bfloat16",
    "read_bundle",
    "read_directory",
    "write_bundle",
    "write_quantized",
]
