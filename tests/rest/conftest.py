"""A real server over a house, for clients that want an address."""

import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn


@contextmanager
def serve(house):
    """The API of `house` at an address of its own, without a slash at the end; the house outlives it."""
    from modules.server import create_app

    config = uvicorn.Config(create_app(house), "127.0.0.1", 0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 60
    while not server.started:
        assert thread.is_alive() and time.monotonic() < end
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(30)


@pytest.fixture(scope="session")
def address(house):
    """Where the tests' house is served."""
    with serve(house) as address:
        yield address


@pytest.fixture(scope="module")
def own_house(tmp_path_factory, parity_models):
    """A house that no other test file looks at: its settings and its queue may be turned upside down."""
    from modules.flags import parse_flags
    from modules.house import make_house

    data = tmp_path_factory.mktemp("own")
    arguments = ["--data-dir", str(data), "--ckpt-dir", str(parity_models), "--nowebui"]
    house = make_house(parse_flags(arguments, environment={}))
    house.store.change({"sd_model_checkpoint": "tiny-sd1"})
    yield house
    house.close()


@pytest.fixture(scope="module")
def own_address(own_house):
    """Where `own_house` is served."""
    with serve(own_house) as address:
        yield address
