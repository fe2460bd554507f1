"""Has griffe read the section ``Example:`` of our docstrings as code, as it reads ``Examples:``."""

import re
from typing import Any

import griffe


class Examples(griffe.Extension):
    """Renames the section in each docstring, before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:  # noqa: ANN401 -- griffe's own
        """Rename it in one."""
        if obj.docstring is not None:
            text = obj.docstring.value
            obj.docstring.value = re.sub(r"^( *)Example:$", r"\1Examples:", text, flags=re.M)
