"""Gradio's routes and the page's events get whatever a stranger sends: no answer is a bare failure."""

import http.client
import json

import pytest

from tests.door.conftest import Page
from tests.door.test_bombs import grown_since, peak

NAN, HALF = float("nan"), "\ud800"
DEEP = json.loads("[" * 260 + "]" * 260)
ODD = (NAN, float("inf"), HALF, 10**30, -1, "", "\x00", None, True, [], [None], {}, {"a": {"b": 1}}, DEEP)
ROUTES = ("queue/join", "run/predict", "api/predict", "reset", "cancel")
JSON = {"content-type": "application/json"}


def post(page, route, value):
    """JSON as Python writes it: with NaN, Infinity and lone surrogates."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return page.post(f"/gradio_api/{route}", content=body, headers=JSON)


@pytest.mark.parametrize("route", ROUTES)
def test_no_call_of_the_page_is_a_bare_failure(page, route):
    right = {"fn_index": 14, "session_hash": "s", "data": [None], "event_id": "e"}
    calls = [{**right, field: odd} for field in right for odd in ODD]
    calls += [{**right, "data": [odd]} for odd in ODD] + [{}, [], None, 5, {"data": []}]
    calls += [b"[" * 100_000, b"{", b"\xff\xfe", b"", b'{"fn_index": 1e999, "data": []}']
    for call in calls:
        answer = post(page, route, call)
        assert answer.status_code < 500, (route, str(call)[:100], answer.text[:300])
        if answer.status_code >= 400:
            assert len(answer.json()["detail"]) > 10


def test_every_event_refuses_values_of_another_kind_in_a_sentence_or_takes_them(page, capfd):
    whole = Page(page)
    for event in whole.events():
        for odd in ({"a": 1}, 10**30, [[{}]], HALF):
            values = [odd] * len(event["inputs"])
            route = "queue/join" if event["queue"] is not False else "run/predict"
            call = {"fn_index": event["id"], "session_hash": "odd", "data": values}
            answer = post(page, route, call)
            assert answer.status_code < 500, (event["targets"], odd, answer.text[:300])
    assert "Traceback" not in capfd.readouterr().err


def test_an_event_that_there_is_not_is_told(page):
    answer = post(page, "queue/join", {"fn_index": 100_000, "session_hash": "s", "data": []})
    assert answer.status_code == 422
    assert "no event 100000" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/sdapi/v1/img2img", "/sdapi/v1/options", "/gradio_api/queue/join"])
def test_a_body_of_millions_of_values_is_refused_while_it_comes(page, path):
    before = peak()
    answer = page.post(path, content=b"[" + b"{}," * 21_000_000 + b"{}]", headers=JSON)
    assert answer.status_code == 413, answer.text[:200]
    assert grown_since(before) < 200
    assert page.get("/internal/ping").status_code == 200


@pytest.mark.parametrize("has_length", [True, False], ids=["length told", "length not told"])
def test_who_is_still_sending_what_is_too_large_reads_the_refusal(page, has_length):
    """Many clients send all of a body before they look for an answer."""
    body = b"[" + b" " * (6 << 20) + b"]"
    connection = http.client.HTTPConnection(page.base_url.host, page.base_url.port, timeout=30)
    connection.request("POST", "/sdapi/v1/options", body if has_length else iter([body]), JSON)
    assert connection.getresponse().status == 413
    connection.close()


FORMS = (
    ("internal/progress", {"id_task": HALF}),
    ("internal/web/submit", {"tab": "img2img", "task": "a", "values": {"init_images": 5}}),
    ("internal/web/submit", {"tab": "img2img", "task": "b", "values": {"init_images": [{}]}}),
    ("internal/web/submit", {"tab": "txt2img", "task": "c", "values": {"script_name": [None]}}),
    ("internal/web/submit", {"tab": "txt2img", "task": HALF, "values": {}}),
    ("internal/web/batches", {"tab": "img2img", "values": {}, "batch": {"input_folder": "\x00"}}),
    ("internal/web/cancel", [HALF]),
    ("sdapi/v1/options", {"x": DEEP}),
    ("sdapi/v1/txt2img", {"steps": 1, "override_settings": {"x": DEEP}}),
)


@pytest.mark.parametrize(("path", "form"), FORMS, ids=lambda each: ascii(each)[:50])
def test_forms_of_the_page_with_odd_values_are_refused_in_a_sentence(page, path, form):
    answer = page.post(f"/{path}", content=json.dumps(form).encode(), headers=JSON)
    assert answer.status_code in (400, 422), answer.text[:300]
    assert len(answer.json()["detail"]) > 10
    assert "did not expect" not in answer.text
