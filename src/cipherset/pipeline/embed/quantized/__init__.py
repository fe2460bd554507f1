"""An encoder's graph with its matrix products in 8-bit integers, made from the exact one."""

from cipherset.pipeline.embed.quantized.graph import METHOD, quantize_graph

__all__ = ["METHOD", "quantize_graph"]
