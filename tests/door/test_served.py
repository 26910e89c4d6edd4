"""The door of a real server: a person logs in, under a proxy's path, over HTTPS."""

import json
import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from modules.errors import InvalidRequest
from modules.flags import Flags
from modules.server import serve

from .proxy import proxy

ROOT = Path(__file__).resolve().parents[2]
CERTIFICATE, KEY = (Path(__file__).parent / name for name in ("localhost.crt", "localhost.key"))
CHROMIUM = Path("/usr/bin/chromium")
START = """
import sys
from modules.flags import parse_flags
from modules.server import serve
serve(parse_flags(sys.argv[1:]))
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def served(tmp_path, parity_models):
    """A function that starts a server with these flags and waits until it answers; its port."""
    started = []

    def served(*flags: str, scheme: str = "http") -> int:
        port = free_port()
        data = tmp_path / "user"
        data.mkdir()
        (data / "config.json").write_text(json.dumps({"sd_model_checkpoint": "tiny-sd1.safetensors"}))
        arguments = ["--data-dir", str(data), "--ckpt-dir", str(parity_models), "--port", str(port), *flags]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "COMMANDLINE_ARGS": ""}
        log = tmp_path / "server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-c", START, *arguments],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=output,
            )
        started.append(process)
        trusting = ssl._create_unverified_context() if scheme == "https" else None
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            assert process.poll() is None, log.read_text()
            try:
                with urllib.request.urlopen(
                    f"{scheme}://127.0.0.1:{port}/internal/ping", timeout=5, context=trusting
                ):
                    return port
            except OSError:
                time.sleep(0.3)
        raise AssertionError(log.read_text())

    yield served
    for process in started:
        process.terminate()
        process.wait(30)


@pytest.mark.browser
@pytest.mark.slow
def test_a_person_logs_in_behind_a_proxy_and_draws(served):
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}")
    port = served("--subpath", "sub", "--gradio-auth", "ann:1")
    with proxy("/sub", port) as url, playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.set_default_timeout(90_000)
        failed = []
        page.on("response", lambda answer: answer.status >= 400 and failed.append(answer.url))
        page.goto(url)
        assert page.url == f"{url}login"
        page.fill("[name=username]", "ann")
        page.fill("[name=password]", "1")
        page.click("button")
        page.wait_for_function(
            "typeof formIsRecalled !== 'undefined' && formIsRecalled && 'jpeg_quality' in opts"
        )
        assert page.url == url
        page.locator("#txt2img_prompt textarea").fill("a cat")
        for name, value in {"steps": 2, "width": 64, "height": 64}.items():
            page.locator(f"#txt2img_{name} input[type=number]").fill(str(value))
        page.click("#txt2img_generate")
        page.wait_for_function("document.querySelector('[data-testid=detailed-image]')?.naturalWidth === 64")
        browser.close()
    assert [each for each in failed if "favicon" not in each] == []


@pytest.mark.slow
def test_the_api_is_served_over_https_to_who_has_the_password(served):
    port = served("--nowebui", "--tls-certfile", str(CERTIFICATE), "--tls-keyfile", str(KEY), scheme="https")
    trusting = ssl.create_default_context(cafile=CERTIFICATE)
    with urllib.request.urlopen(
        f"https://localhost:{port}/sdapi/v1/samplers", timeout=60, context=trusting
    ) as answer:
        assert json.load(answer)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (Flags(tls_certfile=CERTIFICATE), "go together"),
        (Flags(tls_certfile=CERTIFICATE, tls_keyfile=CERTIFICATE), "cannot be used for HTTPS"),
        (Flags(tls_certfile=Path("gone.crt"), tls_keyfile=KEY), "cannot be used for HTTPS"),
        (Flags(share=True, tls_certfile=CERTIFICATE, tls_keyfile=KEY), "brings its own HTTPS"),
    ],
)
def test_what_cannot_be_served_is_said_before_anything_is_started(flags, sentence):
    with pytest.raises(InvalidRequest, match=sentence):
        serve(flags)
