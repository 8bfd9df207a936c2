"""What a request looked like to whoever runs the site: route, status and time, never a path, a value or a person.

With `serve --log` one line of JSON a request goes to standard error; where the extra `telemetry` is there and an
endpoint is configured, one OpenTelemetry span and a histogram of durations too. Routes are names such as
`console:case`, so no id of a docket, case or release leaves the process this way.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpRequest, HttpResponse

from gatehouse import __version__
from gatehouse.kernel import clock, ids
from gatehouse.kernel.errors import CustodianFault

Respond = Callable[[HttpRequest], HttpResponse]

_log = logging.getLogger("gatehouse.requests")
NAME = "gatehouse"


class Terse(logging.Formatter):
    """What failed and where in the program: no message, no address, no value, so no personal data.

    Of a fault in the custodian's own files also the file's name and the place in it.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line: the kind of error and the line of our code it came from."""
        if os.environ.get("GATEHOUSE_DEBUG"):
            return super().format(record)
        place = _failed_at(record)
        return f"{record.levelname} {record.name}" + (f": {place}" if place else "")


class JsonLines(logging.Formatter):
    """A record as one JSON object: when, how grave, what kind of thing happened, and its fields; no free text."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        told = {"at": clock.stamp(clock.now()), "level": record.levelname.lower(), "event": record.name}
        place = _failed_at(record)
        failed = {"failed": place} if place else {}
        return json.dumps({**told, **getattr(record, "fields", {}), **failed}, ensure_ascii=True)


def _failed_at(record: logging.LogRecord) -> str:
    if record.exc_info is None or record.exc_info[2] is None:
        return ""
    *_, (frame, line) = traceback.walk_tb(record.exc_info[2])
    kind = record.exc_info[0].__name__ if record.exc_info[0] else "error"
    told = f"{kind} in {frame.f_code.co_qualname} line {line}"
    error = record.exc_info[1]
    if isinstance(error, CustodianFault) and error.where:
        told += f" ({error.where.rpartition('/')[2]})"
    return told


def logging_to_stderr(*, requests: bool) -> dict[str, Any]:
    """Django's LOGGING: errors as one terse line each, or with `requests` every request and error as JSON."""
    formatter = "gatehouse.console.observation." + ("JsonLines" if requests else "Terse")
    logger = {"handlers": ["stderr"], "level": "INFO" if requests else "ERROR", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "loggers": {
            "gatehouse": logger,
            "django": {**logger, "level": "ERROR"},
            "waitress": {**logger, "level": "ERROR"},
        },
    }


def observed(respond: Respond) -> Respond:
    """Observe every request: a line in the log, and a span where telemetry is on."""

    def answer(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        request.observed_as = ids.fresh("rq")  # type: ignore[attr-defined]
        with _span(request.method or "") as span:
            response = respond(request)
            seconds = time.perf_counter() - started
            route = _route(request)
            span(route, response.status_code, seconds)
        response.headers.setdefault("X-Request-Id", request.observed_as)  # type: ignore[attr-defined]
        level = logging.ERROR if response.status_code >= 500 else logging.INFO
        fields = {
            "request": request.observed_as,  # type: ignore[attr-defined]
            "method": request.method, "route": route, "status": response.status_code,
            "ms": round(seconds * 1000, 1),
        }  # fmt: skip
        _log.log(level, "request", extra={"fields": fields})
        return response

    return answer


def _route(request: HttpRequest) -> str:
    """The name of the address, or `none` where nothing answers to it."""
    match = getattr(request, "resolver_match", None)
    return str(match.view_name or "unnamed") if match else "none"


def enabled() -> bool:
    """Whether spans and metrics are sent: the extra is there, and OTEL_EXPORTER_OTLP_ENDPOINT says where to."""
    return bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")) and (
        importlib.util.find_spec("opentelemetry.exporter") is not None
    )


_instruments: tuple[Any, Any] | None = None
_providers: list[Any] = []


def flush() -> None:
    """Send what waits to be sent; for the end of a process."""
    for provider in _providers:
        provider.force_flush()


@contextmanager
def _span(method: str) -> Iterator[Callable[[str, int, float], None]]:
    if not enabled():
        yield lambda *_: None
        return
    from opentelemetry.trace import SpanKind

    tracer, duration = _ready()
    with tracer.start_as_current_span(method, kind=SpanKind.SERVER) as span:

        def tell(route: str, status: int, seconds: float) -> None:
            # names of the HTTP semantic conventions of OpenTelemetry; url.path is left out because it holds ids
            attributes = {"http.request.method": method, "http.route": route, "http.response.status_code": status}
            span.update_name(f"{method} {route}")
            span.set_attributes(attributes)
            duration.record(seconds, attributes)

        yield tell


def _ready() -> tuple[Any, Any]:
    """The tracer and the histogram of durations, made once a process; the endpoint is the standard variable's."""
    global _instruments  # noqa: PLW0603 - OpenTelemetry's providers are the process's own
    if _instruments is None:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        resource = Resource.create({"service.name": NAME, "service.version": __version__})
        traces = TracerProvider(resource=resource)
        traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource=resource)
        _providers.extend((traces, meters))
        histogram = meters.get_meter(NAME).create_histogram("http.server.request.duration", unit="s")
        _instruments = traces.get_tracer(NAME), histogram
    return _instruments
