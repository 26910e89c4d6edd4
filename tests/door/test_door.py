"""The door before an application: what is let through, what is refused, and in which words."""

import base64
import threading
import time

import pytest
from fastapi import FastAPI, Request, WebSocket
from starlette.testclient import TestClient, WebSocketDisconnect

from modules.door import install_door
from modules.flags import Flags

HERE = "http://127.0.0.1:7860"
PERSON = {"accept": "text/html"}


@pytest.fixture
def behind(tmp_path):
    """A function from flags to a client of a small application behind the door."""

    def behind(flags: Flags, **settings) -> TestClient:
        app = FastAPI()
        app.state.changes = 0

        @app.get("/sdapi/v1/options")
        @app.get("/")
        @app.get("/internal/ping")
        def look() -> str:
            return "seen"

        @app.post("/sdapi/v1/options")
        @app.post("/internal/progress")
        async def change(request: Request) -> int:
            app.state.changes += 1
            return len(await request.body())

        @app.websocket("/socket")
        async def talk(socket: WebSocket) -> None:
            await socket.accept()
            await socket.send_text("hello")
            await socket.close()

        install_door(app, flags, tmp_path / "key")
        return TestClient(app, HERE, follow_redirects=False, **settings)

    return behind


def basic(name: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def assert_is_refusal(answer, status: int, *words: str) -> None:
    assert answer.status_code == status
    body = answer.json()
    assert set(body) == {"error", "detail", "errors", "field"}
    assert all(word in body["detail"] for word in words)


def test_a_name_that_points_here_from_outside_is_refused(behind):
    client = behind(Flags())
    answer = client.get("/", headers={"host": "rebound.example:7860"})
    assert_is_refusal(answer, 403, "rebound.example", "--allowed-hosts")
    assert client.get("/", headers={"host": ""}).status_code == 403
    assert client.get("/").status_code == 200


def test_a_foreign_page_changes_nothing(behind):
    client = behind(Flags())
    for headers in ({"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        assert_is_refusal(client.post("/sdapi/v1/options", headers=headers), 403, "another site")
    assert client.app.state.changes == 0
    assert client.post("/sdapi/v1/options", headers={"origin": HERE}).status_code == 200
    assert client.post("/sdapi/v1/options").status_code == 200


def test_a_foreign_page_is_not_shown_what_it_asked_for(behind):
    answer = behind(Flags()).get("/sdapi/v1/options", headers={"origin": "http://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_answers_cannot_be_shown_inside_foreign_pages(behind):
    headers = behind(Flags()).get("/").headers
    assert headers["content-security-policy"] == "frame-ancestors 'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert (
        "cross-origin-resource-policy"
        not in behind(Flags(cors_allow_origins="https://a.example")).get("/").headers
    )


def test_everybody_may_be_invited_but_not_with_the_persons_own_session(behind):
    client = behind(Flags(cors_allow_origins="*"))
    answer = client.get("/", headers={"origin": "https://any.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_a_foreign_page_gets_no_socket(behind):
    client = behind(Flags())
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("ws://127.0.0.1:7860/socket", headers={"origin": "http://evil.example"}),
    ):
        pass
    with client.websocket_connect("ws://127.0.0.1:7860/socket", headers={"origin": HERE}) as socket:
        assert socket.receive_text() == "hello"


def test_an_invited_page_may_call_and_read_also_where_a_password_is_asked_for(behind):
    client = behind(Flags(cors_allow_origins="https://art.example", api_auth="ann:1"))
    origin = {"origin": "https://art.example"}
    before = client.options("/sdapi/v1/options", headers={**origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization"})  # fmt: skip
    assert before.status_code == 200
    answer = client.post("/sdapi/v1/options", headers={**origin, **basic("ann", "1")})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://art.example"


def test_a_body_past_the_bound_is_refused_by_its_length_and_by_counting(behind):
    client = behind(Flags(max_request_size=1))
    assert client.post("/sdapi/v1/options", content=b"x" * 2**20).json() == 2**20
    assert_is_refusal(
        client.post("/sdapi/v1/options", content=b"x" * (2**20 + 1)), 413, "1 MB", "--max-request-size"
    )
    pieces = (b"x" * 2**16 for _ in range(1000))
    assert_is_refusal(client.post("/sdapi/v1/options", content=pieces), 413, "1 MB")
    wrong = client.post("/sdapi/v1/options", content=b"", headers={"content-length": "many"})
    assert wrong.status_code in (400, 413)


def test_a_path_that_nothing_can_have_is_refused(behind):
    client = behind(Flags())
    assert_is_refusal(client.get(f"/static/{'x' * 256}"), 414, "255")
    assert client.get(f"/static/{'x' * 255}").status_code == 404


@pytest.mark.parametrize(
    ("flags", "page", "api"),
    [
        (Flags(gradio_auth="ann:1"), ("ann", "1"), ("ann", "1")),
        (Flags(api_auth="bob:2"), ("bob", "2"), ("bob", "2")),
        (Flags(gradio_auth="ann:1", api_auth="bob:2"), ("ann", "1"), ("bob", "2")),
    ],
    ids=["page", "api", "both"],
)
def test_page_and_api_ask_for_a_name_and_a_password(behind, flags, page, api):
    client = behind(flags)
    assert_is_refusal(client.get("/sdapi/v1/options"), 401, "name and a password")
    assert "Basic" in client.get("/sdapi/v1/options").headers["www-authenticate"]
    assert client.get("/sdapi/v1/options", headers=basic(*api)).status_code == 200
    assert client.get("/sdapi/v1/options", headers=basic(api[0], "wrong")).status_code == 401
    assert client.get("/", headers=PERSON).headers["location"] == "/login"
    refused = client.post("/internal/progress")
    assert_is_refusal(refused, 401)
    assert "www-authenticate" not in refused.headers
    entered = client.post("/login", data={"username": page[0], "password": page[1]}, headers=PERSON)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie
    assert client.get("/", headers=PERSON).status_code == 200
    assert client.post("/internal/progress").status_code == 200
    assert client.get("/sdapi/v1/options").status_code == 200, "the page calls the API"


def test_the_users_of_the_page_are_not_those_of_the_api(behind):
    client = behind(Flags(gradio_auth="ann:1", api_auth="bob:2"))
    assert client.get("/sdapi/v1/options", headers=basic("ann", "1")).status_code == 401
    assert client.post("/login", data={"username": "bob", "password": "2"}, headers=PERSON).status_code == 401


def test_who_logs_out_is_asked_again(behind):
    client = behind(Flags(gradio_auth="ann:1"))
    client.post("/login", data={"username": "ann", "password": "1"}, headers=PERSON)
    kept = dict(client.cookies)
    foreign = client.get("/logout", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})
    assert foreign.status_code == 303
    client.cookies.update(kept)
    assert client.get("/", headers=PERSON).status_code == 200
    assert client.get("/logout").status_code == 303
    client.cookies.update(kept)
    assert client.get("/", headers=PERSON).status_code == 303


def test_a_session_outlives_the_program_and_not_a_new_password(behind):
    client = behind(Flags(gradio_auth="ann:1"))
    client.post("/login", data={"username": "ann", "password": "1"}, headers=PERSON)
    cookies = dict(client.cookies)
    assert behind(Flags(gradio_auth="ann:1"), cookies=cookies).get("/").status_code == 200
    assert behind(Flags(gradio_auth="ann:2"), cookies=cookies).get("/").status_code == 401


def test_programs_of_the_field_log_in_by_the_form(behind):
    client = behind(Flags(gradio_auth="ann:1"))
    assert client.post("/login", data={"username": "ann", "password": "1"}).json() == {"success": True}
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("wrong", ["Basic", "Basic !!!", "Basic YW5u", "Bearer x", "Basic " + "QQ==" * 5000])
def test_a_broken_header_is_a_wrong_password(behind, wrong):
    assert (
        behind(Flags(api_auth="ann:1")).get("/sdapi/v1/options", headers={"authorization": wrong}).status_code
        == 401
    )


def test_a_wrong_password_is_said_on_the_page_and_escapes_what_was_sent(behind):
    client = behind(Flags(gradio_auth="ann:1"))
    data = {"username": "<script>", "password": "x", "next": '"><script>'}
    answer = client.post("/login", data=data, headers=PERSON)
    assert answer.status_code == 401
    assert "not known" in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    "after", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_the_way_after_the_login_stays_here(behind, after):
    client = behind(Flags(gradio_auth="ann:1"))
    answer = client.post("/login", data={"username": "ann", "password": "1", "next": after}, headers=PERSON)
    assert answer.headers["location"] == "/"


def test_a_launcher_may_ask_whether_the_program_serves(behind):
    assert behind(Flags(gradio_auth="ann:1")).get("/internal/ping").status_code == 200


def test_a_socket_needs_a_session(behind):
    client = behind(Flags(gradio_auth="ann:1"))
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("ws://127.0.0.1:7860/socket"):
        pass


def test_failures_slow_their_sender_and_nobody_else(behind):
    client = behind(Flags(api_auth="ann:1", gradio_auth="ann:1"))
    client.post("/login", data={"username": "ann", "password": "1"}, headers=PERSON)
    session = dict(client.cookies)
    guesser = behind(Flags(api_auth="ann:1", gradio_auth="ann:1"))
    for _ in range(3):
        guesser.get("/sdapi/v1/options", headers=basic("ann", "x"))
    took = {}

    def guess() -> None:
        began = time.monotonic()
        guesser.get("/sdapi/v1/options", headers=basic("ann", "x"))
        took["guess"] = time.monotonic() - began

    thread = threading.Thread(target=guess)
    thread.start()
    began = time.monotonic()
    person = TestClient(guesser.app, HERE, cookies=session)
    assert person.get("/sdapi/v1/options").status_code == 200
    took["person"] = time.monotonic() - began
    thread.join()
    assert took["guess"] > 0.4 > took["person"] or took["person"] < took["guess"]


def test_calls_are_logged_without_what_they_held(behind, caplog):
    client = behind(Flags(api_log=True, api_auth="ann:secret"))
    with caplog.at_level("INFO"):
        client.post("/sdapi/v1/options?key=hidden", content=b"the body", headers=basic("ann", "secret"))
    assert "POST /sdapi/v1/options 200" in caplog.text
    told = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("modules."))
    assert not any(word in told for word in ("hidden", "the body", "secret"))
