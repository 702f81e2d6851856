"""Who may ask, what is told of the service, and what its documents say."""

from __future__ import annotations

import re

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from maeum.errors import RunError, SettingsError
from maeum.serving import Limits, create_app
from maeum.serving.service import Service, running

KEYS = ("first-key", "열쇠")


def test_keys_are_asked_for_where_something_is_told(serving, model):
    with serving(model, api_keys=KEYS) as address:
        for path in ("/healthz", "/readyz", "/docs", "/openapi.json"):
            assert httpx.get(address + path).status_code == 200
        for path in ("/v1/model", "/metrics"):
            refused = httpx.get(address + path)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            assert refused.json()["detail"].startswith("this service takes a key")
        told = f"{address}/v1/model"
        assert httpx.get(told, headers={"X-API-Key": "first-key"}).status_code == 200
        assert httpx.get(told, headers={"Authorization": "Bearer first-key"}).status_code == 200
        for wrong in ("first-ke", "first-key2", "", "Bearer"):
            assert httpx.get(told, headers={"X-API-Key": wrong}).status_code == 401
            assert httpx.get(told, headers={"Authorization": wrong}).status_code == 401


def test_other_sites_pages_may_ask_only_if_named(serving, model):
    asks = {"Origin": "https://calls.example", "Access-Control-Request-Method": "POST"}
    with serving(model) as address:
        answer = httpx.get(f"{address}/v1/model", headers=asks)
        assert "access-control-allow-origin" not in answer.headers
    with serving(model, cors=["https://calls.example"], api_keys=["k"]) as address:
        allowed = httpx.options(f"{address}/v1/predict", headers=asks)
        assert allowed.headers["access-control-allow-origin"] == "https://calls.example"
        other = httpx.options(
            f"{address}/v1/predict", headers={**asks, "Origin": "https://other.example"}
        )
        assert "access-control-allow-origin" not in other.headers


def test_counts_are_of_routes_and_never_of_content(serving, model):
    with serving(model) as address:
        httpx.post(f"{address}/v1/predict", json={"text": "정말 기뻐"})
        httpx.get(f"{address}/v1/some-name")
        told = httpx.get(f"{address}/metrics").text
    assert 'maeum_requests_total{route="/v1/predict",status="200"} 1.0' in told
    assert 'maeum_requests_total{route="other",status="404"} 1.0' in told
    assert "maeum_queue_length 0.0" in told
    assert 'maeum_request_seconds_bucket{le="30.0",route="/v1/predict"} 1.0' in told
    assert "some-name" not in told
    assert not any(name in told for name in model.emotions.names)


def test_a_request_keeps_its_id(address):
    named = httpx.get(f"{address}/healthz", headers={"X-Request-ID": "call-17"})
    assert named.headers["x-request-id"] == "call-17"
    strange = httpx.get(f"{address}/healthz", headers={"X-Request-ID": "a b; c"})
    assert re.fullmatch("[0-9a-f]{32}", strange.headers["x-request-id"])


def test_the_page_of_routes_asks_nothing_of_others(address):
    page = httpx.get(f"{address}/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//|<script|@import|url\(", page.text)
    for path in ("/v1/predict", "/v1/batch", "/v1/timeline", "/v1/model", "/readyz"):
        assert f"<code>{path}</code>" in page.text


@pytest.mark.filterwarnings("ignore")
def test_schemathesis_finds_no_failure_of_ours(address):
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    for operation in (found.ok() for found in schema.get_all_operations()):
        _try(operation, address)


def _try(operation, address):
    @settings(
        max_examples=25,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=operation.as_strategy())
    def each(case):
        answer = case.call(base_url=address)
        assert answer.status_code < 500, (case, answer.text)

    each()


def test_the_document_of_routes_is_valid_openapi(model):
    document = create_app(model).openapi()
    assert document["openapi"].startswith("3.")
    schemathesis.openapi.from_dict(document).validate()
    for path in ("/v1/predict", "/v1/batch", "/v1/timeline"):
        told = document["paths"][path]["post"]
        assert {"200", "400", "401", "413", "415", "422", "503", "504"} <= told["responses"].keys()
        assert "multipart/form-data" in told["requestBody"]["content"]


def test_it_is_ready_once_warm_and_until_it_stops(model):
    service = Service(model)
    assert not service.ready
    with running(service):
        service.wait_until_warm()
        assert service.ready
        service.drain()
        assert not service.ready


def test_limits_are_sane():
    with pytest.raises(SettingsError, match="queue_length is 0"):
        Limits(queue_length=0)


def test_a_run_that_compares_voices_takes_one(model, monkeypatch):
    monkeypatch.setattr(type(model), "needs_voice", True)
    with pytest.raises(RunError, match="--speaker FOLDER"):
        create_app(model)
