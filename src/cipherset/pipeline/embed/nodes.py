"""What every graph of an encoder is put together from."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import helper, numpy_helper


class Nodes:
    """Nodes and constants as they are added; each node has one output."""

    def __init__(self) -> None:
        """With none yet."""
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, name: str, values: np.ndarray | np.generic) -> str:
        """The name of a constant, now that it has these values."""
        self._constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        attributes: Mapping[str, Any] | None = None,
        *,
        name: str | None = None,
    ) -> str:
        """The name of the node's output: ``name``, or one made of the operator and its place."""
        output = name or f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [output], **(attributes or {})))
        return output
