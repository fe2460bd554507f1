"""What one request, and all of them together, may take of the gateway."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_Count = Annotated[int, Field(ge=1)]
_Seconds = Annotated[float, Field(gt=0, le=86_400)]


class RequestLimits(BaseModel):
    """The table ``[limits]`` of ``serve.toml``; sizes in bytes, times in seconds.

    ``concurrent`` counts requests that are under way, their handlers' threads included, and
    ``reading`` those whose body is still on its way, ``reading_each`` of them from one address:
    what is more takes the place of the slowest, which is told to come again. Of bodies above
    ``body_bytes``, where a route declares more, an eighth of both is read at once.
    ``header_s`` is for the head of a request, ``write_s`` for a client that does not take its
    answer, ``idle_s`` for a connection between two requests. ``request_s`` runs until the answer
    begins, ``body_s`` until the question is read. A route may declare more of ``body_bytes`` and
    ``request_s`` than others.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    body_bytes: _Count = 4 << 20
    json_depth: _Count = 32
    header_bytes: _Count = 16 << 10
    headers: _Count = 64
    target_bytes: _Count = 4 << 10
    concurrent: _Count = 64
    reading: _Count = 128
    reading_each: _Count = 32
    connections: _Count = 512
    body_s: _Seconds = 20.0
    header_s: _Seconds = 10.0
    idle_s: _Seconds = 15.0
    write_s: _Seconds = 30.0
    request_s: _Seconds = 60.0
    shutdown_s: _Seconds = 30.0


DEFAULT_LIMITS = RequestLimits()
