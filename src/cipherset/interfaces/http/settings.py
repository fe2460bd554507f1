"""How the server is set: ``serve.toml`` in the workspace, read once when it starts.

A word that is not one of these is refused, so that a misspelled limit is not one that is missing.
"""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cipherset.core.errors import InputError
from cipherset.core.files import disk_errors
from cipherset.interfaces.http.limits import DEFAULT_LIMITS, RequestLimits

SETTINGS_FILE: Final = "serve.toml"
_Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Origin = Annotated[str, Field(pattern=r"^https?://[^/?#\s@]+$", max_length=300)]
Algorithm = Literal["RS256", "PS256", "ES256", "ES384", "Ed25519"]


class _Table(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Tls(_Table):
    """Whether a connection must bring a client certificate, where ``--client-ca`` says whose."""

    client_certificates: Literal["required", "optional"] = "required"


class Oidc(_Table):
    """Whose access tokens are taken, and for whom they must be made.

    ``claim`` names a principal: registered as ``ISSUER#VALUE``. ``types`` are the values of the
    header ``typ``: beside RFC 9068's own, ``JWT`` for an issuer that does not write it; then the
    audience must be nobody's client id. ``ca`` is a file with the issuer's authority, where that is
    not a public one.
    """

    issuer: str = Field(pattern=r"^https?://[^?#\s@]+$", max_length=400)
    audience: str = Field(min_length=1, max_length=400)
    claim: str = Field(default="sub", min_length=1, max_length=100)
    algorithms: tuple[Algorithm, ...] = Field(default=("RS256", "PS256", "ES256"), min_length=1)
    types: tuple[Literal["at+jwt", "JWT"], ...] = Field(default=("at+jwt",), min_length=1)
    leeway_s: float = Field(default=5.0, ge=0, le=300)
    ca: str | None = None


class Tokens(_Table):
    """Whether tokens of ``cipherset principal token`` are taken."""

    accept: bool = False


class Proof(_Table):
    """Proofs of possession (DPoP): for which origins they are, and for how long they are fresh.

    ``origins`` are those that clients call the server by, beside the address it listens at.
    """

    origins: tuple[_Origin, ...] = ()
    window_s: _Seconds = 60.0


class Telemetry(_Table):
    """Where traces go (OTLP over HTTP); they hold routes, outcomes and times, and no content."""

    endpoint: str = Field(pattern=r"^https?://[^?#\s@]+$", max_length=400)


class Settings(_Table):
    """The whole file; what it leaves out is as here."""

    tls: Tls = Tls()
    oidc: Oidc | None = None
    tokens: Tokens = Tokens()
    proof: Proof = Proof()
    limits: RequestLimits = DEFAULT_LIMITS
    telemetry: Telemetry | None = None


def read_settings(home: Path) -> Settings:
    """What ``serve.toml`` of the workspace says; the defaults where there is none.

    Raises:
        InputError: ``serve_file``.
        BackendError: it cannot be read.
    """
    path = home / SETTINGS_FILE
    with disk_errors(path):
        try:
            text = path.read_bytes().decode()
        except FileNotFoundError:
            return Settings()
        except UnicodeDecodeError:
            raise _bad(path, "it is not UTF-8") from None
    try:
        told = json.dumps(tomllib.loads(text), default=str, allow_nan=False)
        return Settings.model_validate_json(told)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise _bad(path, f"{where}: {first['msg']}") from None
    except ValueError as error:  # not TOML, or a number that JSON does not have
        raise _bad(path, str(error)) from None


def _bad(path: Path, why: str) -> InputError:
    return InputError(
        f"{path} does not say how to serve: {why}",
        code="serve_file",
        hint="docs/how-to/serve.md shows what it may say",
    )
