"""Which files the page shows by their path, and as what; where uploads lie."""

import os
import stat

import pytest
from starlette.testclient import TestClient

from modules.flags import parse_flags
from modules.house import make_house
from modules.server import create_app
from modules.web.uploads import Uploads

HERE = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A data folder, whose setting for saved pictures names the whole disk, beside a folder that is granted."""
    place = tmp_path_factory.mktemp("served")
    files = {
        "user/config.json": '{"outdir_save": "/"}',
        "user/outputs/a.png": "picture",
        "user/outputs/a.txt": "text",
        "user/outputs/page.html": "<script>alert(1)</script>",
        "user/outputs/drawing.svg": "<svg onload='alert(1)'/>",
        "user/outputs/run.js": "alert(1)",
        "user/outputs/book.xml": "<a/>",
        "user/models/Lora/note.txt": "mine",
        "user/styles.csv": "name,prompt",
        "granted/any.bin": "granted",
        "elsewhere/secret.png": "secret",
    }
    for name, text in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (place / "user/outputs/config.png").symlink_to(place / "user/config.json")
    return place


@pytest.fixture(scope="module")
def client(place, parity_models):
    words = ["--data-dir", str(place / "user"), "--ckpt-dir", str(parity_models)]
    house = make_house(parse_flags([*words, "--gradio-allowed-path", str(place / "granted")], environment={}))
    house.queue.open()
    app = create_app(house)
    yield TestClient(app, HERE, raise_server_exceptions=False)
    house.close()


def asked(client, path):
    return client.get(f"/gradio_api/file={path}")


def test_a_setting_that_names_the_whole_disk_grants_nothing(client, place):
    for path in ("/etc/passwd", place / "elsewhere/secret.png", place / "user/models/Lora/note.txt"):
        answer = asked(client, path)
        assert answer.status_code == 403, path
        assert "--gradio-allowed-path" in answer.json()["detail"]


@pytest.mark.parametrize(
    "name",
    [
        "config.json", "ui-config.json", "easel.sqlite3", "easel.sqlite3-wal", "easel-session.key", "easel.lock",
        "styles.csv", "outputs/config.png", "outputs/../config.json", "outputs", "",
    ],
)  # fmt: skip
def test_the_data_folders_own_files_are_never_shown(client, place, name):
    assert asked(client, place / "user" / name).status_code == 403


def test_pictures_and_texts_among_the_outputs_are_shown_and_what_is_granted(client, place):
    picture = asked(client, place / "user/outputs/a.png")
    assert (picture.text, picture.headers["content-type"]) == ("picture", "image/png")
    assert "attachment" not in picture.headers.get("content-disposition", "")
    text = asked(client, place / "user/outputs/a.txt")
    assert (text.text, text.headers["content-type"]) == ("text", "text/plain; charset=utf-8")
    assert asked(client, place / "granted/any.bin").text == "granted"
    part = client.get(f"/gradio_api/file={place / 'user/outputs/a.png'}", headers={"range": "bytes=0-2"})
    assert (part.status_code, part.text) == (206, "pic")


@pytest.mark.parametrize("name", ["page.html", "drawing.svg", "run.js", "book.xml"])
def test_what_a_browser_would_run_is_not_shown_as_such(client, place, name):
    answer = asked(client, place / "user/outputs" / name)
    assert answer.status_code == 403
    granted = place / "granted" / name
    granted.write_text((place / "user/outputs" / name).read_text())
    answer = asked(client, granted)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/monitoring", "/monitoring/summary", "/monitoring/x", "/gradio_api/dev/reload", "/gradio_api/token",
        "/gradio_api/vibe-code", "/gradio_api/runs", "/gradio_api/queue/status", "/gradio_api/deep_link",
        "/gradio_api/openapi.json", "/svelte/x", "/gradio_api/component_server",
    ],
)  # fmt: skip
def test_what_the_page_does_not_use_of_gradio_is_closed(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.skipif(os.name == "nt", reason="rights are other ones there")
def test_uploads_are_their_owners_alone_and_gone_after_a_crash_and_at_the_end(tmp_path, monkeypatch, house):
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    monkeypatch.setattr("modules.web.uploads._place", lambda _: tmp_path / "uploads")
    left = tmp_path / "uploads" / "abc" / "left.png"
    left.parent.mkdir(parents=True)
    left.write_text("of the last time")
    uploads = Uploads(house.folders)
    assert os.environ["GRADIO_TEMP_DIR"] == str(uploads.folder)
    assert not left.exists()
    assert stat.S_IMODE(uploads.folder.stat().st_mode) == 0o700
    for number, name in enumerate(("old.png", "new.png")):
        (uploads.folder / name).write_bytes(b"x" * 100)
        os.utime(uploads.folder / name, (number, number))
    uploads.make_room(150)
    assert [path.name for path in uploads.folder.iterdir()] == ["new.png"]
    uploads.remove()
    assert not uploads.folder.exists()
