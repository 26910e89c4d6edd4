"""How the page travels: compressed, kept by browsers, pictures and events as they are."""

import gzip
import http.client
import re
from urllib.parse import urlsplit

import pytest

from modules.web.page_answers import FOR_EVER

PAGE_BYTES = 150_000
SCRIPT_BYTES = 90_000


@pytest.fixture
def get(server):
    """Asks the running program as a browser does, and gives status, headers and body as they travelled."""

    def get(path, **headers):
        connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=60)
        connection.request("GET", path, headers={"Accept-Encoding": "gzip", **headers})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer

    return get


def test_page_and_script_are_sent_compressed_and_only_once(get):
    status, headers, answer = get("/")
    body = answer.read()
    assert (status, headers["Content-Encoding"], headers["Cache-Control"]) == (
        200,
        "gzip",
        "private, no-cache",
    )
    assert len(body) < PAGE_BYTES
    page = gzip.decompress(body).decode()
    script = re.search(r'src="\.(/internal/web/page\.js\?\w+)"', page).group(1)
    assert page.index(script) < page.index('type="module"')
    assert get("/", **{"If-None-Match": headers["ETag"]})[0] == 304
    assert get("/", **{"If-None-Match": '"another"'})[0] == 200

    _, headers, answer = get(script)
    assert len(answer.read()) < SCRIPT_BYTES
    assert headers["Cache-Control"] == FOR_EVER
    assert get("/internal/web/page.js?old")[1]["Cache-Control"] == "no-cache"
    asset = re.search(r'src="\.(/assets/[^"]+\.js)"', page).group(1)
    assert get(asset)[1]["Cache-Control"] == FOR_EVER


def test_those_who_take_nothing_compressed_get_it_plain(get):
    _, headers, answer = get("/", **{"Accept-Encoding": "identity"})
    body = answer.read()
    assert headers["Content-Encoding"] is None
    assert int(headers["Content-Length"]) == len(body)
    assert b"gradio_config" in body


def test_pictures_and_answers_with_pictures_and_events_are_not_compressed(get):
    assert get("/internal/web/static/favicon.png")[1]["Content-Encoding"] is None
    _, headers, answer = get("/sdapi/v1/options")
    assert headers["Content-Encoding"] is None
    assert len(answer.read()) > 1000
    _, headers, events = get("/easel/v1/events")
    assert headers["Content-Encoding"] is None
    assert events.readline().startswith(b"id:")  # at once, not when a buffer is full
    events.close()
