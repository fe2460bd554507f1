"""The schemes there are, by name."""

from typing import Final

from cipherset.core.errors import InputError
from cipherset.pipeline.encrypt.rsap import RSAP_1
from cipherset.pipeline.encrypt.sap import SAP_1
from cipherset.pipeline.encrypt.scheme import Scheme

SCHEMES: Final = (RSAP_1, SAP_1)


def scheme_named(name: str) -> Scheme:
    """The scheme called ``name``.

    Raises:
        InputError: there is none (code ``scheme``).
    """
    for scheme in SCHEMES:
        if scheme.name == name:
            return scheme
    known = ", ".join(scheme.name for scheme in SCHEMES)
    raise InputError(
        f"unknown scheme {name!r}; known: {known}", code="scheme", hint=f"use one of {known}"
    )
