"""Everything that can be called is called by a stranger: what acts on the machine is closed to him."""

import subprocess
import sys

import pytest
from starlette.testclient import TestClient

from modules.door import HostAct, is_open_to, refuse_strangers
from modules.errors import Closed
from modules.flags import Flags, parse_flags
from modules.house import make_house
from modules.rest import ServerControl
from modules.server import create_app
from tests.door.conftest import NEVER_ENDING, PART, Page, places

STRANGER = ("203.0.113.9", 5000)
HERE = "http://127.0.0.1:7860"
NAMED = {"kind": "checkpoints", "name": "tiny-sd1"}
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC"
CLOSED = {
    ("POST", "/easel/v1/merges"): {"json": {"primary": "tiny-sd1", "secondary": "tiny-sd1-b"}},
    ("POST", "/easel/v1/conversions"): {"json": {"checkpoint": "tiny-sd1"}},
    ("POST", "/easel/v1/merges/{merge_id}/interrupt"): {},
    ("PUT", "/easel/v1/networks/card"): {"params": NAMED, "json": {"description": "mine"}},
    ("PUT", "/easel/v1/networks/preview"): {"params": NAMED, "json": {"picture": PICTURE}},
    ("POST", "/internal/web/extras/open-folder"): {},
}
"""The routes that act on the machine, and calls of them that would be right."""
WELCOME = {"/login", "/logout", "/internal/ping"}
"""What an outsider may call who has no password yet."""


@pytest.fixture(scope="module")
def started():
    """Commands of programs that were started on the machine, by whatever way Python has."""
    commands = []
    patch = pytest.MonkeyPatch()

    class Started(subprocess.Popen):
        def __init__(self, command, *_, **__):
            if command[0] != "uname":  # how Python finds out what machine it is on
                commands.append(command)
            raise OSError("nothing is started in this test")

    patch.setattr(subprocess, "Popen", Started)
    patch.setattr("os.system", commands.append)
    patch.setattr("os.startfile", commands.append, raising=False)
    patch.setattr("webbrowser.open", commands.append)
    yield commands
    patch.undo()


def listing(folder):
    """The files below `folder` that are not the program's own notes, each with its size and time."""
    own = ("cache", "easel", "outputs", "config.json")
    return {
        path: (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and not path.relative_to(folder).as_posix().startswith(own)
    }


@pytest.fixture(scope="module")
def stranger(open_to_others):
    app, _, _ = open_to_others
    return TestClient(app, HERE, raise_server_exceptions=False, follow_redirects=False, client=STRANGER)


@pytest.mark.parametrize("call", CLOSED, ids=" ".join)
def test_what_acts_on_the_machine_is_closed_to_a_stranger(stranger, started, call):
    method, path = call
    answer = stranger.request(method, PART.sub("x", path), **CLOSED[call])
    assert answer.status_code == 403, answer.text
    assert "--listen" in answer.json()["detail"]
    assert started == []


def test_whatever_else_a_stranger_calls_no_program_starts_and_no_file_changes(
    open_to_others, started, parity_models
):
    app, stranger, house = open_to_others
    before = listing(house.folders.data), listing(parity_models)
    for method, path in sorted(set(places(app.routes))):
        if path in NEVER_ENDING or path.endswith("/events"):
            continue
        sends = method in ("POST", "PUT", "PATCH")
        # Too few steps, so that nothing is drawn.
        answer = stranger.request(method, PART.sub("1", path), json={"steps": 0} if sends else None)
        assert answer.status_code < 500, (method, path, answer.text[:300])
    assert started == []
    assert (listing(house.folders.data), listing(parity_models)) == before


def test_no_event_of_the_page_starts_a_program_for_a_stranger(open_to_others, page, started):
    whole = Page(page)
    opening = {whole.component(f"{tab}_open_folder") for tab in ("txt2img", "img2img")}
    told = {}
    for event in whole.events():
        targets = {target for target, _ in event["targets"]}
        said = whole.event(event["id"], [None] * len(event["inputs"]))
        if targets & opening:
            told[event["id"]] = said[1]
    assert started == []
    assert len(told) == 2
    assert all("only for somebody at the machine" in text for text in told.values())


def test_at_the_machine_itself_the_same_event_opens_the_folder(serve_page, started):
    started.clear()
    whole = Page(serve_page()[1])
    button = whole.component("txt2img_open_folder")
    event = next(each for each in whole.events() if [button, "click"] in each["targets"])
    whole.event(event["id"], [])
    opener = "open" if sys.platform == "darwin" else "xdg-open"
    assert [command[0] for command in started] == [opener]
    started.clear()


@pytest.fixture(scope="module")
def outsider(tmp_path_factory, parity_models):
    """Somebody without a password, before the whole program."""
    data = tmp_path_factory.mktemp("guarded")
    words = ["--data-dir", str(data), "--ckpt-dir", str(parity_models), "--gradio-auth", "ann:1"]
    house = make_house(parse_flags([*words, "--api-server-stop"], environment={}))
    app = create_app(house, ServerControl())
    yield app, TestClient(app, HERE, raise_server_exceptions=False, follow_redirects=False, client=STRANGER)
    house.close()


def test_an_outsider_is_answered_by_no_route_at_all(outsider):
    app, client = outsider
    tried = set(places(app.routes))
    assert ("POST", "/sdapi/v1/server-kill") in tried
    assert len(tried) > 150
    for method, path in sorted(tried):
        if PART.sub("1", path).rstrip("/") in WELCOME:
            continue
        answer = client.request(method, PART.sub("1", path))
        assert answer.status_code == 401, (method, path, answer.status_code)


@pytest.mark.parametrize("act", HostAct)
@pytest.mark.parametrize(
    "exposed", ["--listen", "--share", "--server-name=my.host", "--allowed-hosts=a.example", "--subpath=/art"]
)
def test_each_act_is_closed_however_the_program_is_open_to_others(act, exposed):
    flags = parse_flags([exposed], environment={})
    assert not is_open_to(flags, act)
    with pytest.raises(Closed):
        refuse_strangers(flags, act)


def test_each_act_but_ending_is_open_at_the_machine_itself():
    flags = Flags()
    assert {act for act in HostAct if is_open_to(flags, act)} == set(HostAct) - {HostAct.END_SERVER}
    both = Flags(listen=True, enable_insecure_folder_access=True, api_server_stop=True)
    assert {act for act in HostAct if is_open_to(both, act)} == set(HostAct) - {HostAct.OPEN_FOLDER}
