"""The port that the server gets."""

import socket
from contextlib import ExitStack

import pytest

from modules.errors import EaselError
from modules.flags import choose_port
from modules.flags.ports import DEFAULT_PORT

HERE = "127.0.0.1"


@pytest.fixture
def taken():
    """A port that somebody listens at."""
    with socket.socket() as other:
        other.bind((HERE, 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_free_port_that_was_asked_for_is_given():
    with socket.socket() as other:
        other.bind((HERE, 0))
        port = other.getsockname()[1]
    assert choose_port(HERE, port) == port


def test_a_taken_port_that_was_asked_for_is_refused_with_what_to_do(taken):
    with pytest.raises(EaselError, match=rf"Port {taken} is taken .* or leave --port out"):
        choose_port(HERE, taken)


def test_the_next_free_port_is_used_when_none_was_asked_for():
    first = choose_port(HERE, None)
    assert first >= DEFAULT_PORT
    with ExitStack() as held:
        other = held.enter_context(socket.socket())
        other.bind((HERE, first))
        other.listen()
        assert choose_port(HERE, None) > first


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_numbers_that_are_no_ports_are_refused(port):
    with pytest.raises(EaselError, match="from 1 to 65535"):
        choose_port(HERE, port)


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(EaselError, match=r"203\.0\.113\.7 is not an address of this machine"):
        choose_port("203.0.113.7", None)
