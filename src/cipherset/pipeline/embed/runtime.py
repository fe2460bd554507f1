"""What runs a graph: onnxruntime, or OpenVINO where products are to be of bfloat16.

bfloat16 keeps float32's range and 8 bits of its mantissa, and some processors multiply it several
times as fast; onnxruntime does not use that on a processor. OpenVINO opens the same graph. Where it
or the processor lacks it, the graph runs in float32: what the products are rounded from.
"""

import io
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime

from cipherset.core.values import Float32s
from cipherset.pipeline.embed.graph import IDS, MASK, POOLED

Ids = npt.NDArray[np.int64]
METHOD: Final = "bfloat16/1"  # how products are rounded: to 8 bits, sums are of float32
# onnxruntime on a processor: the activations of a layer then fit a core's second-level cache. Half
# as many bytes and faster products bear more.
_CPU_TOKENS: Final = 512
_BFLOAT16_TOKENS: Final = 2048
_GPU_TOKENS: Final = 16384
# OpenVINO sums a row of attention 16 at a time, then the rest: two widths with as many whole
# sixteens give the same bits.
_BFLOAT16_SPAN: Final = 16
_CPU: Final = "CPUExecutionProvider"
# In order of preference. TF32 keeps 10 bits of a product's mantissa: not the same vectors.
_GPUS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {"CUDAExecutionProvider": {"use_tf32": "0"}, "MIGraphXExecutionProvider": {}}
)
_ERRORS_ONLY: Final = 3  # onnxruntime's severity levels: 0 verbose, 3 error


@dataclass(frozen=True, slots=True)
class Runtime:
    """``run`` takes ids and mask, (n, tokens), to vectors (n, dim), from any thread.

    ``batch_tokens`` suit it; texts are put together only if their lengths // ``span`` are equal,
    where it would round them differently otherwise.
    """

    run: Callable[[Ids, Ids], Float32s]
    dim: int
    batch_tokens: int
    is_parallel: bool
    span: int | None = None


def open_runtime(graph: bytes, quantization: str | None, n_threads: int) -> Runtime:
    """What runs ``graph``, on as many threads at most, rounded as ``quantization`` says."""
    if quantization == METHOD and multiplies_bfloat16():
        return _open_bfloat16(graph, n_threads)
    session = open_session(graph)

    def run(ids: Ids, mask: Ids) -> Float32s:
        pooled: Float32s = session.run([POOLED], {IDS: ids, MASK: mask})[0]
        return pooled

    # What is named first is what the runtime took, where it could.
    on_cpu = session.get_providers()[0] == _CPU
    return Runtime(
        run,
        int(session.get_outputs()[0].shape[1]),
        _CPU_TOKENS if on_cpu else _GPU_TOKENS,
        is_parallel=on_cpu,
    )


def open_session(graph: bytes) -> onnxruntime.InferenceSession:
    """The model, to be run by one thread at a time on its own core."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    providers = chosen_providers(onnxruntime.get_available_providers())
    return onnxruntime.InferenceSession(graph, options, providers=providers)


def chosen_providers(available: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """The GPU's provider, if one is ``available``, with its options; then the processor's.

    A runtime that was built for a GPU and finds none goes on with the next by itself.
    """
    found = [(name, dict(options)) for name, options in _GPUS.items() if name in available]
    return [*found[:1], (_CPU, {})]


def multiplies_bfloat16() -> bool:
    """Whether OpenVINO is installed and this processor multiplies bfloat16."""
    if find_spec("openvino") is None:
        return False
    return "BF16" in _openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _openvino() -> Any:  # noqa: ANN401 -- a module
    # Its import starts a thread that tells its makers so, where openvino-telemetry is installed;
    # where that cannot be imported it does without.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    return import_module("openvino")


def _open_bfloat16(graph: bytes, n_threads: int) -> Runtime:
    core = _openvino().Core()
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16",
        "INFERENCE_NUM_THREADS": n_threads,
        "NUM_STREAMS": n_threads,
        "ENABLE_CPU_PINNING": False,  # the cores are not ours alone
    }
    compiled = core.compile_model(core.read_model(io.BytesIO(graph)), "CPU", settings)
    requests = threading.local()  # one may be run by one thread at a time

    def run(ids: Ids, mask: Ids) -> Float32s:
        if not hasattr(requests, "mine"):
            requests.mine = compiled.create_infer_request()
        pooled: Float32s = requests.mine.infer({IDS: ids, MASK: mask})[0].copy()
        return pooled

    dim = compiled.output(0).partial_shape[1].get_length()
    return Runtime(run, dim, _BFLOAT16_TOKENS, is_parallel=True, span=_BFLOAT16_SPAN)
