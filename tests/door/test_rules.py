"""The pure rules of the door: names, origins, passwords, sessions, delays."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.door.credentials import Users, read_users
from modules.door.hosts import Callers, host_of
from modules.door.sessions import LIFETIME, Sessions, session_key
from modules.door.throttle import LONGEST_DELAY, PATIENCE, Throttle
from modules.errors import InvalidRequest
from modules.flags import Flags

HERE = Callers.from_flags(Flags())


@pytest.mark.parametrize(
    ("netloc", "host"),
    [
        ("localhost:7860", "localhost"),
        ("LOCALHOST.", "localhost"),
        ("[::1]:7860", "::1"),
        ("[::1]", "::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("", ""),
    ],
)
def test_the_host_of_a_header(netloc, host):
    assert host_of(netloc) == host


@pytest.mark.parametrize(
    "netloc", ["127.0.0.1:7860", "localhost:7860", "[::1]:7860", "192.168.1.7:7860", "a.localhost"]
)
def test_addresses_and_localhost_are_this_program(netloc):
    assert HERE.answers_to(netloc)


@pytest.mark.parametrize(
    "netloc",
    [
        "evil.example:7860",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "",
        "evil",
        "1.2.3.4.5",
        "127.0.0.1%evil.example",
        "[::1].evil.example",
        "[fe80::1%25evil.example]",
        "a.gradio.live",
    ],
)
def test_other_names_are_not(netloc):
    assert not HERE.answers_to(netloc)


@pytest.mark.parametrize(
    ("flags", "netloc"),
    [
        (Flags(allowed_hosts="art.example, b.example"), "B.example:80"),
        (Flags(server_name="my.host"), "my.host:7860"),
        (Flags(share=True), "0123abcd.gradio.live"),
        (Flags(allowed_hosts="*"), "anything.example"),
    ],
)
def test_a_name_can_be_allowed(flags, netloc):
    assert Callers.from_flags(flags).answers_to(netloc)


OWN = {"host": "127.0.0.1:7860"}


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"origin": "http://127.0.0.1:7860"}, True),
        ({"origin": "https://127.0.0.1:7860"}, True),
        ({"origin": "http://127.0.0.1:8000"}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "file://"}, False),
        ({"origin": "http://127.0.0.1:7860.evil.example"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"origin": "https://art.example", "x-forwarded-host": "art.example"}, True),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "WEBSOCKET", "ODD"])
def test_only_our_own_pages_change_anything(method, headers, allowed):
    assert HERE.may_send(method, {**OWN, **headers}) is allowed


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, True),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, False),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "origin": "http://evil.example"}, False),
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}, False),
        ({"sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors"}, True),
    ],
)
def test_a_foreign_page_may_lead_a_person_here_and_show_nothing_of_it(method, headers, allowed):
    assert HERE.may_send(method, {**OWN, **headers}) is allowed


def test_another_port_of_a_known_name_is_another_page():
    callers = Callers.from_flags(Flags(listen=True, allowed_hosts="art.example"))
    name = next(iter(callers.hosts - {"art.example"}))
    assert not callers.may_send("POST", {"host": f"{name}:7860", "origin": f"http://{name}:8000"})
    assert callers.may_send("POST", {"host": "127.0.0.1:7860", "origin": "https://art.example"})


@pytest.mark.parametrize(
    ("flags", "origin", "invited"),
    [
        (Flags(cors_allow_origins="https://a.example,http://b.example:3000"), "http://b.example:3000", True),
        (Flags(cors_allow_origins="https://a.example"), "http://a.example", False),
        (Flags(cors_allow_origins_regex=r"https://.*\.example"), "https://x.example", True),
        (Flags(cors_allow_origins_regex=r"https://.*\.example"), "https://x.example.evil", False),
        (Flags(cors_allow_origins="*"), "http://anything", True),
    ],
)
def test_other_origins_can_be_invited(flags, origin, invited):
    callers = Callers.from_flags(flags)
    assert callers.is_invited(origin) is invited
    assert callers.may_send("POST", {**OWN, "origin": origin}) is invited


def test_a_pattern_that_is_none_is_refused():
    with pytest.raises(InvalidRequest, match="no regular expression"):
        Callers.from_flags(Flags(cors_allow_origins_regex="("))


def test_users_are_read_from_the_flag_and_from_a_file(tmp_path):
    file = tmp_path / "users"
    file.write_text("carl:c:3\ndora:4, eve:5\n\n")
    users = read_users("gradio_auth", "ann:1,bob:2", file)
    known = [("ann", "1"), ("bob", "2"), ("carl", "c:3"), ("dora", "4"), ("eve", "5")]
    assert all(users.knows(*each) for each in known)
    assert not any(users.knows(name, password + "x") for name, password in known)
    assert not users.knows("ann", "2")
    assert not users.knows("", "")


@pytest.mark.parametrize("text", ["ann", "ann:", ":1", "ann:1,bob"])
def test_an_entry_that_is_no_user_is_refused_without_showing_it(text):
    with pytest.raises(InvalidRequest, match="name:password") as refused:
        read_users("api_auth", text)
    assert "bob" not in str(refused.value)
    assert "--api-auth" in str(refused.value)


def test_a_file_of_users_that_is_not_there_or_empty_is_refused(tmp_path):
    for content in (None, "\n"):
        file = tmp_path / f"users-{content is None}"
        if content is not None:
            file.write_text(content)
        with pytest.raises(InvalidRequest, match=re.escape(str(file))):
            read_users("gradio_auth_path", None, file)


@given(st.text(), st.text(), st.text(), st.text())
def test_no_other_name_and_password_are_known(name, password, other_name, other_password):
    users = Users({name: password})
    assert users.knows(name, password)
    assert users.knows(other_name, other_password) is ((name, password) == (other_name, other_password))


def test_no_password_is_kept():
    assert b"secret" not in repr(vars(Users({"ann": "secret"}))).encode()


def test_a_session_is_valid_until_it_ends_and_cannot_be_forged():
    now = [1000.0]
    sessions = Sessions(b"k" * 32, lambda: now[0])
    token = sessions.new_token()
    assert sessions.is_valid(token)
    assert not Sessions(b"o" * 32, lambda: now[0]).is_valid(token)
    ends, rest = token.split(".", 1)
    assert not sessions.is_valid(f"{int(ends) + 1}.{rest}")
    now[0] += LIFETIME
    assert not sessions.is_valid(token)


@given(st.text())
def test_no_text_is_a_session(text):
    assert not Sessions(b"k" * 32).is_valid(text)


def test_a_session_that_was_ended_is_void():
    sessions = Sessions(b"k" * 32)
    ended, other = sessions.new_token(), sessions.new_token()
    sessions.end(ended)
    assert not sessions.is_valid(ended)
    assert sessions.is_valid(other)


class Shelf(dict):
    """A keeper of ended sessions that outlives the program."""

    def load(self, now):
        return {digest: until for digest, until in self.items() if until > now}

    def add(self, digest, until):
        self[digest] = until


def test_a_session_that_was_ended_stays_void_after_a_restart_and_only_its_digest_is_kept():
    shelf = Shelf()
    before = Sessions(b"k" * 32, ended=shelf)
    ended, other = before.new_token(), before.new_token()
    before.end(ended)
    after = Sessions(b"k" * 32, ended=shelf)
    assert not after.is_valid(ended)
    assert after.is_valid(other)
    assert len(shelf) == 1 and ended not in str(shelf)
    after.end("forged")
    assert len(shelf) == 1


@pytest.mark.parametrize("damage", ["short", "readable by others"])
def test_a_key_that_others_could_know_is_made_anew_and_kept(tmp_path, damage):
    file = tmp_path / "key"
    file.write_bytes(b"k" * (32 if damage == "readable by others" else 5))
    file.chmod(0o644)
    key = session_key(file, b"one")
    assert session_key(file, b"one") == key
    assert file.stat().st_mode & 0o077 == 0
    assert file.read_bytes() != b"k" * 32


def test_the_key_of_the_sessions_outlives_the_program_and_not_the_password(tmp_path):
    file = tmp_path / "folder" / "key"
    key = session_key(file, b"one")
    assert session_key(file, b"one") == key
    assert session_key(file, b"two") != key
    assert file.stat().st_mode & 0o077 == 0


def test_each_failure_makes_the_next_attempt_wait_longer_and_nobody_elses():
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    assert throttle.wait("a") == 0
    delays = []
    for _ in range(8):
        throttle.failed("a", "ann")
        delays.append(throttle.wait("a"))
        now[0] += 100
    assert delays == sorted(delays)
    assert 0 < delays[0] < 1
    assert delays[-1] == LONGEST_DELAY
    assert throttle.wait("b") == 0
    throttle.succeeded("a", "ann")
    assert throttle.wait("a") == 0


def test_a_success_under_ones_own_name_does_not_forgive_guesses_at_another():
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    waits = []
    for _ in range(6):
        throttle.failed("a", "ann")
        throttle.succeeded("a", "eve")
        waits.append(throttle.wait("a"))
        now[0] += 100
    assert waits == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0]


def test_many_guessed_names_count_together_and_old_failures_are_forgiven():
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    for number in range(1000):
        throttle.failed("a", f"name {number}")
    assert throttle._delay(throttle._failures["a"].by_name.total()) == LONGEST_DELAY
    assert len(throttle._failures["a"].by_name) < 30
    now[0] += 10_000
    assert throttle.wait("a") == 0


def test_many_attempts_at_once_wait_one_for_another_and_then_are_refused():
    throttle = Throttle(lambda: 0.0)
    for _ in range(5):
        throttle.failed("a", "ann")
    waits = [throttle.wait("a") for _ in range(50)]
    held = [wait for wait in waits if wait is not None]
    assert held == sorted(set(held))
    assert max(held) <= PATIENCE
    assert waits[-1] is None
