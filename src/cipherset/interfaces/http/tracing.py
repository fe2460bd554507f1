"""OpenTelemetry traces without content: a span per request, of its route, its method and its end.

Needs the extra ``telemetry``. No path, query, header, body, address or name goes into a span, and
no context of the caller's is taken over: what a stranger sends is not what we report. The provider
is ours alone; libraries that trace by themselves find none.
"""

import time
from typing import Any, Final

from cipherset.core.errors import BackendError
from cipherset.interfaces.http.seen import Ended

_NS: Final = 1_000_000_000
_FAILED: Final = 500


class Tracing:
    """Sends spans to an OTLP receiver over HTTP, in batches and in the background."""

    def __init__(self, endpoint: str) -> None:
        """Nothing is sent yet.

        Raises:
            BackendError: ``telemetry_missing``.
        """
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.trace import Status, StatusCode
        except ImportError:
            raise BackendError(
                "traces were asked for, and the packages for them are not installed",
                code="telemetry_missing",
                hint="pip install 'cipherset[telemetry]', or take [telemetry] out of serve.toml",
            ) from None
        resource = Resource({"service.name": "cipherset-gateway"})
        self._provider: Any = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
        self._tracer = self._provider.get_tracer("cipherset")
        self._failed = Status(StatusCode.ERROR)

    def ended(self, request: Ended) -> None:
        """Report a request that has ended."""
        end = time.time_ns()
        span = self._tracer.start_span(
            f"{request.method} {request.route}", start_time=end - int(request.seconds * _NS)
        )
        span.set_attributes(
            {
                "http.request.method": request.method,
                "http.route": request.route,
                "http.response.status_code": request.status,
                "cipherset.request_id": request.request_id,
            }
        )
        if request.status >= _FAILED:
            span.set_status(self._failed)
        span.end(end_time=end)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()
