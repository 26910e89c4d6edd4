"""Files that events of the page name, at a running server: uploads, and nothing else of the machine or the net."""

import io
import json
import time

import pytest
from PIL import Image, PngImagePlugin

from tests.door.test_bombs import ANIMATIONS, BOMBS, grown_since, peak

TOLD = "a lighthouse"
META = {"_type": "gradio.FileData"}


def a_picture(text: str) -> bytes:
    texts, file = PngImagePlugin.PngInfo(), io.BytesIO()
    texts.add_text("parameters", text)
    Image.new("RGB", (8, 8)).save(file, "png", pnginfo=texts)
    return file.getvalue()


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A picture that is none of the program's business, and tells a secret."""
    path = tmp_path_factory.mktemp("foreign") / "secret.png"
    path.write_bytes(a_picture("the secret of the neighbour"))
    return path


@pytest.fixture(scope="module")
def reading_event(page):
    """The number of the event that reads a picture on PNG Info."""
    config = page.get("/config").json()
    picture = next(
        each["id"] for each in config["components"] if each["props"].get("elem_id") == "pnginfo_image"
    )
    events = config["dependencies"]
    return next(each["id"] for each in events if each["inputs"] == [picture] and each["backend_fn"])


def told_about(page, event: int, path: str, meta: object = META) -> tuple[bool, str]:
    """Whether the event went well, and all that it told, for a file that is named by `path`."""
    session = f"s{time.monotonic_ns()}"
    file = {"path": path} if meta is None else {"path": path, "meta": meta}
    joined = page.post(
        "/gradio_api/queue/join", json={"fn_index": event, "session_hash": session, "data": [file]}
    )
    assert joined.status_code == 200, joined.text
    with page.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as lines:
        for line in lines.iter_lines():
            if "process_completed" in line:
                told = json.loads(line.removeprefix("data:"))
                return told["success"], line
    raise AssertionError("the event never ended")


def test_a_picture_that_was_uploaded_is_read(page, reading_event):
    files = {"files": ("mine.png", a_picture(TOLD))}
    path = page.post("/gradio_api/upload", files=files).json()[0]
    went_well, told = told_about(page, reading_event, path)
    assert went_well
    assert TOLD in told


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_that_is_dropped_on_the_page_is_refused_with_a_sentence(page, bomb):
    before = peak()
    answer = page.post("/internal/web/picture-text", files={"picture": ("bomb.png", BOMBS[bomb])})
    assert answer.status_code == 422
    assert len(answer.json()["detail"]) > 20
    assert grown_since(before) < 150


@pytest.mark.parametrize("kind", ANIMATIONS)
def test_of_an_animation_that_is_dropped_the_first_frame_alone_is_unpacked(page, reading_event, kind):
    before = peak()
    dropped = page.post("/internal/web/picture-text", files={"picture": ("moving", ANIMATIONS[kind])})
    assert dropped.json() == {"info": ""}
    path = page.post("/gradio_api/upload", files={"files": ("moving.gif", ANIMATIONS[kind])}).json()[0]
    assert told_about(page, reading_event, path)[0]
    assert grown_since(before) < 150


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_that_was_uploaded_is_refused_with_a_sentence(page, reading_event, bomb):
    path = page.post("/gradio_api/upload", files={"files": ("bomb.png", BOMBS[bomb])}).json()[0]
    _, told = told_about(page, reading_event, path)
    assert "megapixels" in told or "it reads PNG" in told or "cannot be read" in told


def test_a_path_of_the_machine_is_refused_before_it_is_opened(page, reading_event, foreign):
    for path in (str(foreign), f"{foreign.parent}/./secret.png", "/etc/passwd", "/dev/zero", "../secret.png"):
        went_well, told = told_about(page, reading_event, path)
        assert not went_well, path
        assert "secret of" not in told


@pytest.mark.parametrize("meta", [None, {}, {"_type": "gradio.filedata"}, {"_type": ["gradio.FileData"]}, []])
def test_a_path_that_does_not_say_what_it_is_is_refused_too(page, reading_event, foreign, meta):
    went_well, told = told_about(page, reading_event, str(foreign), meta)
    assert not went_well
    assert "secret of" not in told


@pytest.fixture
def asked(monkeypatch):
    """The hosts that Gradio would have fetched from."""
    hosts = []

    async def remember(url: str, **_: object) -> str:
        hosts.append(url)
        raise OSError

    monkeypatch.setattr("gradio.processing_utils.async_ssrf_protected_download", remember)
    return hosts


@pytest.mark.parametrize("address", ["https://a.example/x.png", "http://127.0.0.1:1/x.png"])
def test_an_address_is_refused_and_not_fetched(page, reading_event, asked, address):
    went_well, told = told_about(page, reading_event, address)
    assert not went_well
    assert asked == []
    assert "is an address" in told


@pytest.mark.parametrize("path", ["/pwa_icon/-1", "/pwa_icon/100000", "/pwa_icon"])
def test_no_icon_is_drawn_at_a_size_that_a_caller_chooses(page, path):
    assert page.get(path).status_code == 404


@pytest.mark.parametrize("name", ["v2/nothing", "nothing", "v2/read_picture"])
def test_the_events_of_the_page_are_no_api(page, name):
    answer = page.post(f"/gradio_api/call/{name}", json={"data": []})
    assert answer.status_code == 404
    assert "/docs" in answer.json()["detail"]


def test_the_manifest_names_an_icon_that_is_there(page):
    for icon in page.get("/manifest.json").json()["icons"]:
        assert page.get(f"/{icon['src']}").status_code == 200
