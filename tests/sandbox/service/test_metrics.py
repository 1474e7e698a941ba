from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sandbox.service.metrics import Metrics
from sandbox.service.server import HttpError, Request, Response, Route, respond


def create(_: Request) -> Response:
    return Response({}, HTTPStatus.CREATED)


def refuse(_: Request) -> Response:
    raise HttpError(HTTPStatus.SERVICE_UNAVAILABLE, "no leader")


def break_down(_: Request) -> Response:
    raise RuntimeError("a bug")


def clock(*readings_s: float) -> Metrics:
    left: Iterator[float] = iter(readings_s)
    return Metrics(lambda: next(left))


def ask(metrics: Metrics, route: Route, times: int = 1) -> dict[str, float]:
    """Ask `route` so often by a path of its kind, then read /metrics as Prometheus does: samples by their labels."""
    routes = metrics.routes([route])
    for _ in range(times):
        respond(routes, route.method, route.path.replace("{id}", "7"), {}, b"{}")
    text = respond(routes, "GET", "/metrics", {}, b"").body
    assert isinstance(text, str)
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        " ".join([sample.name, *(value for _, value in sorted(sample.labels.items()))]): sample.value
        for sample in samples
    }


def test_a_request_is_counted_by_method_path_template_and_status_with_its_time() -> None:
    found = ask(clock(10.0, 10.125, 11.0, 11.5), Route("POST", "/things/{id}", create), times=2)
    assert found["http_requests_total 201 POST /things/{id}"] == 2
    assert found["http_request_duration_seconds_sum POST /things/{id}"] == 0.625


def test_a_bucket_ends_where_the_latency_slo_does() -> None:
    found = ask(clock(0.0, 0.125, 1.0, 1.1875), Route("POST", "/things", create), times=2)
    assert found["http_request_duration_seconds_bucket 0.15 POST /things"] == 1
    assert found["http_request_duration_seconds_bucket 0.2 POST /things"] == 2


def test_a_refusal_is_counted_by_its_status_and_its_time_is_not_taken_for_an_answers() -> None:
    found = ask(Metrics(), Route("GET", "/things", refuse))
    assert found["http_requests_total 503 GET /things"] == 1
    assert found["http_request_duration_seconds_count GET /things"] == 0


def test_every_status_is_told_before_the_first_request() -> None:
    """Of a counter that appears with a 3, Prometheus doesn't know that it rose by 3."""
    assert ask(Metrics(), Route("GET", "/things", refuse), times=0)["http_requests_total 503 GET /things"] == 0


def test_a_handler_that_breaks_counts_as_500() -> None:
    metrics = Metrics()
    [broken, exposed] = metrics.routes([Route("GET", "/things", break_down)])
    with pytest.raises(RuntimeError):
        broken.handler(Request())
    assert 'http_requests_total{code="500",method="GET",path="/things"} 1.0' in str(exposed.handler(Request()).body)


def test_the_question_for_the_metrics_is_not_counted_itself() -> None:
    metrics = Metrics()
    routes = metrics.routes([])
    for _ in range(2):
        answer = respond(routes, "GET", "/metrics", {}, b"")
    assert "/metrics" not in str(answer.body)
    assert answer.content_type.startswith("text/plain; version=0.0.4")
