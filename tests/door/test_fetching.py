"""Pictures that are named by their address: where they may come from, and what bounds the fetching."""

import base64
import contextlib
import hashlib
import http.server
import io
import ipaddress
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from modules.door import FetchRules, TooManyFetches, fetch_picture
from modules.door.addresses import is_public
from modules.errors import InvalidRequest
from modules.flags import parse_flags
from modules.generation import input_digests
from modules.rest.errors import status_of
from modules.rest.pictures import GivenPictures
from modules.settings import Options, SettingsStore

HERE = Path(__file__).parent
LOCAL = FetchRules(public_only=False)
TOLD = "a lighthouse\nSteps: 3, Seed: 7"


def a_picture() -> bytes:
    texts, file = PngImagePlugin.PngInfo(), io.BytesIO()
    texts.add_text("parameters", TOLD)
    Image.new("RGB", (8, 8), "red").save(file, "png", pnginfo=texts)
    return file.getvalue()


PICTURE = a_picture()
REDIRECTS = {
    "/moved": "/picture.png",
    "/loop": "/loop",
    "/to-file": "file:///etc/passwd",
    "/to-ftp": "ftp://a.example/x.png",
    "/to-password": "http://name:secret@127.0.0.1/",
}


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers by path, and remembers what it was asked."""

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        place = self.path.partition("?")[0]
        with contextlib.suppress(OSError):
            if place in REDIRECTS:
                self._head(302, Location=REDIRECTS[place])
            elif place.startswith("/hop"):
                left = int(place[4:])
                self._head(302, Location=f"/hop{left - 1}" if left else "/picture.png")
            else:
                getattr(self, f"_{place[1:].partition('.')[0].replace('-', '_')}", self._missing)()

    def _head(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def _missing(self) -> None:
        self._head(404)

    def _picture(self) -> None:
        self._head(200, Content_Length=str(len(PICTURE)))
        self.wfile.write(PICTURE)

    def _held(self) -> None:
        self.server.holds.set()
        self.server.released.wait(60)
        self._picture()

    def _text(self) -> None:
        self._head(200)
        self.wfile.write(b"root:x:0:0")

    def _large_by_header(self) -> None:
        self._head(200, Content_Length=str(10**12))

    def _large(self) -> None:
        self._head(200)
        for _ in range(1000):
            self.wfile.write(b"x" * 10_000)

    def _sizeable(self) -> None:
        self._head(200)
        self.wfile.write(b"x" * 600_000)

    def _short(self) -> None:
        self._head(200, Content_Length="1000")
        self.wfile.write(b"x" * 10)

    def _slow(self) -> None:
        self._head(200)
        self._drip()

    def _slow_header(self) -> None:
        self.wfile.write(b"HTTP/1.0 200 ")
        self._drip()

    def _drip(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and not self.server.ended.wait(0.05):
            self.wfile.write(b"x")

    def log_message(self, *words: object) -> None:
        """Nothing: the tests look at `asked`."""


@contextlib.contextmanager
def serving(context: ssl.SSLContext | None = None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.asked, server.daemon_threads = [], True
    server.ended, server.holds, server.released = threading.Event(), threading.Event(), threading.Event()
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def web():
    with serving() as server:
        yield server


def url_of(server, path: str, host: str = "127.0.0.1", scheme: str = "http") -> str:
    return f"{scheme}://{host}:{server.server_port}{path}"


def refusal(url: str, rules: FetchRules = LOCAL) -> str:
    with pytest.raises(InvalidRequest) as refused:
        fetch_picture("image", url, rules)
    assert refused.value.field == "image"
    return str(refused.value)


@pytest.mark.parametrize("path", ["/picture.png", "/moved", "/hop4", "/picture.png?a=b c&d=ä#part"])
def test_a_picture_comes_whole_through_few_redirects(web, path):
    assert fetch_picture("image", url_of(web, path), LOCAL) == PICTURE


def test_nothing_but_the_picture_is_asked_for(web, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    fetch_picture("image", url_of(web, "/picture.png"), replace(LOCAL, user_agent="Me/1"))
    headers = web.asked[-1][1]
    assert headers["User-Agent"] == "Me/1"
    assert headers["Accept-Encoding"] == "identity"
    assert not {"Cookie", "Authorization", "Referer"} & set(headers)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/loop", "redirects more than 5 times"),
        ("/hop5", "redirects more than 5 times"),
        ("/to-file", "neither http:// nor https://"),
        ("/to-ftp", "neither http:// nor https://"),
        ("/to-password", "holds a name or password"),
        ("/nowhere", "answered with status 404"),
        ("/large-by-header", "more than the 1 MB"),
        ("/large", "more than the 1 MB"),
        ("/short", "ended its answer early"),
    ],
)
def test_what_cannot_be_fetched_is_told_with_host_and_reason(web, path, reason):
    sentence = refusal(url_of(web, f"{path}?token=hidden"), replace(LOCAL, most_bytes=2**20))
    assert reason in sentence
    assert "127.0.0.1" in sentence
    assert "hidden" not in sentence
    assert "secret" not in sentence


@pytest.mark.parametrize("path", ["/slow", "/slow-header"])
def test_an_answer_that_comes_by_drops_ends_with_its_time(web, path):
    began = time.monotonic()
    assert "longer than 0.5 seconds" in refusal(url_of(web, path), replace(LOCAL, seconds=0.5))
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://a.example/x.png", "neither http"),
        ("file:///etc/passwd", "neither http"),
        ("gopher://a.example/", "neither http"),
        ("http://name:secret@a.example/x.png", "name or password"),
        ("http://a.example\\@127.0.0.1/x.png", "name or password"),
        ("http:///x.png", "names no host"),
        ("http://a.example:99999/", "cannot be understood"),
        ("http://[::1/", "cannot be understood"),
        ("http://a..b\u3002/", "cannot be understood"),
    ],
)
def test_other_addresses_are_never_looked_up(url, reason):
    def look_up(host, port):
        raise AssertionError("looked up")

    sentence = refusal(url, replace(LOCAL, look_up=look_up))
    assert reason in sentence
    assert "secret" not in sentence


FORBIDDEN = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.1.2.3",
    "64:ff9b::7f00:1", "64:ff9b::c0a8:101", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::1",
    "2001:db8::1", "2002:7f00:1::1", "2002:c0a8:101::1", "3fff::1", "5f00::1", "fc00::1", "fd12::1",
    "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "", "a.example",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1",
          "64:ff9b::101:101"]  # fmt: skip


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_is_not_of_the_public_internet_is_never_asked(address):
    assert not is_public(address)
    rules = FetchRules(look_up=lambda host, port: [address])
    assert "not of the public internet" in refusal("http://a.example/x.png", rules)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_public_internet_are_public(address):
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_in_the_clothes_of_version_6_is_judged_as_what_it_is(address):
    judged = is_public(str(address))
    for carrier in ("::ffff:0:0", "64:ff9b::"):
        carried = ipaddress.IPv6Address(int(ipaddress.IPv6Address(carrier)) + int(address))
        assert is_public(str(carried)) is judged
        assert is_public(carried.exploded) is judged
    assert not is_public(f"2002:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}::1")


@given(st.ip_addresses())
def test_whatever_is_public_here_is_global_in_the_library_too(address):
    # The library counts multicast among the global ones; here it is not public.
    carried = getattr(address, "ipv4_mapped", None) or address
    assert not is_public(str(address)) or carried.is_global


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0", "[::1]", "localhost"])
def test_this_machine_is_not_asked_however_it_is_written(web, host):
    asked = len(web.asked)
    assert "127.0.0.1" not in refusal(url_of(web, "/picture.png", host), FetchRules()) or host == "127.0.0.1"
    assert len(web.asked) == asked


def test_one_forbidden_address_among_others_is_enough():
    rules = FetchRules(look_up=lambda host, port: ["1.1.1.1", "10.0.0.1", "8.8.8.8"])
    assert "not of the public internet" in refusal("http://a.example/x.png", rules)


def test_a_name_that_points_elsewhere_later_gains_nothing(web, monkeypatch):
    """The name's second answer would be this machine; it is never asked for."""
    answers, reached = iter([["93.184.216.34"], ["127.0.0.1"]]), []

    def connect(address, timeout):
        reached.append(address)
        raise OSError

    monkeypatch.setattr("socket.create_connection", connect)
    rules = FetchRules(look_up=lambda host, port: next(answers))
    assert "cannot be reached" in refusal(url_of(web, "/picture.png", "a.example"), rules)
    assert reached == [("93.184.216.34", web.server_port)]
    assert next(answers) == ["127.0.0.1"]


def test_every_redirect_is_judged_anew(web, monkeypatch):
    looked_up = []

    def look_up(host, port):
        looked_up.append(host)
        return ["127.0.0.1"] if host == "a.example" else ["10.0.0.1"]

    # The test's own server stands for one of the public internet.
    monkeypatch.setattr("modules.door.fetching.is_public", lambda address: address == "127.0.0.1")
    monkeypatch.setitem(REDIRECTS, "/elsewhere", "http://inside.example/admin")
    sentence = refusal(url_of(web, "/elsewhere", "a.example"), FetchRules(look_up=look_up))
    assert "inside.example has an address that is not of the public internet" in sentence
    assert looked_up == ["a.example", "inside.example"]


def test_the_connection_goes_to_the_judged_address_under_the_name(web):
    rules = replace(LOCAL, look_up=lambda host, port: ["127.0.0.1"])
    assert fetch_picture("image", url_of(web, "/picture.png", "a.example"), rules) == PICTURE
    assert web.asked[-1][1]["Host"] == f"a.example:{web.server_port}"


def test_a_name_without_an_address_is_told():
    assert "a.invalid is not known" in refusal("http://a.invalid/x.png")


def test_a_name_that_the_system_does_not_find_in_time_is_told():
    never = threading.Event()
    rules = replace(LOCAL, seconds=0.3, look_up=lambda host, port: [str(never.wait(60))])
    began = time.monotonic()
    assert "a.example" in refusal("http://a.example/x.png", rules)
    assert time.monotonic() - began < 30
    never.set()


def test_a_certificate_is_held_against_the_name_unless_the_flag_says_otherwise():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(HERE / "localhost.crt", HERE / "localhost.key")
    unverified = FetchRules.of(Options(api_forbid_local_requests=False), flags("--disable-tls-verify"))
    with serving(context) as server:
        url = url_of(server, "/picture.png", scheme="https")
        assert "certificate that is not valid" in refusal(url)
        assert fetch_picture("image", url, unverified) == PICTURE


def test_the_certificate_is_to_be_of_the_name_and_not_of_the_address(monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(HERE / "localhost.crt", HERE / "localhost.key")
    monkeypatch.setenv("SSL_CERT_FILE", str(HERE / "localhost.crt"))
    rules = replace(LOCAL, look_up=lambda host, port: ["127.0.0.1"])
    with serving(context) as server:
        url = url_of(server, "/picture.png", "localhost", "https")
        assert fetch_picture("image", url, rules) == PICTURE
        sentence = refusal(url_of(server, "/picture.png", "a.example", "https"), rules)
    assert "certificate that is not valid: Hostname mismatch" in sentence


def test_a_handshake_that_never_ends_is_ended():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        assert "longer than 0.5 seconds" in refusal(url, replace(LOCAL, seconds=0.5))


def flags(*words: str):
    return parse_flags(words, environment={})


def test_by_itself_only_the_public_internet_is_fetched_from():
    rules = FetchRules.of(Options(), flags())
    assert (rules.enabled, rules.public_only, rules.verify_tls) == (True, True, True)
    assert rules.user_agent == "Easel"


def test_switched_off_nothing_is_looked_up():
    rules = FetchRules.of(Options(api_enable_requests=False), flags())
    assert "api_enable_requests" in refusal("http://a.example/x.png", rules)


@pytest.mark.parametrize("key", ["api_enable_requests", "api_forbid_local_requests"])
def test_who_reaches_the_program_from_outside_cannot_open_the_network_behind_it(tmp_path, key):
    store = SettingsStore(tmp_path / "config.json", flags("--listen"))
    with pytest.raises(InvalidRequest, match="--listen"):
        store.change({key: not getattr(store.options, key)})


@pytest.fixture
def local_allowed(house):
    house.store.change({"api_forbid_local_requests": False})
    yield
    house.store.change({"api_forbid_local_requests": True, "api_enable_requests": True})


@pytest.mark.usefixtures("local_allowed")
class TestRoutes:
    """Over the API, with local addresses allowed."""

    def test_png_info_reads_a_picture_by_its_address(self, client, web):
        answer = client.post("/sdapi/v1/png-info", json={"image": url_of(web, "/picture.png")})
        assert answer.status_code == 200
        assert answer.json()["info"] == TOLD

    def test_what_is_no_picture_is_refused_and_not_shown(self, client, web):
        answer = client.post("/sdapi/v1/png-info", json={"image": url_of(web, "/text")})
        assert 400 <= answer.status_code < 500
        assert "not a picture" in answer.json()["detail"]
        assert "root" not in answer.text

    def test_extras_enlarge_pictures_by_their_addresses(self, client, web):
        call = {"upscaler_1": "Nearest", "upscaling_resize": 2}
        url = url_of(web, "/picture.png")
        one = client.post("/sdapi/v1/extra-single-image", json={**call, "image": url}).json()["image"]
        batch = {**call, "imageList": [{"data": url, "name": "a.png"}]}
        some = client.post("/sdapi/v1/extra-batch-images", json=batch).json()["images"]
        for text in (one, *some):
            assert Image.open(io.BytesIO(base64.b64decode(text))).size == (16, 16)

    def test_a_job_holds_the_picture_and_not_its_address(self, client, house, web):
        house.queue.pause()
        try:
            url = url_of(web, "/picture.png")
            request = {"init_images": [url], "mask": url, "steps": 1, "width": 64, "height": 64}
            answer = client.post("/easel/v1/jobs", json={"kind": "img2img", "request": request})
            assert answer.status_code == 202, answer.text
            order = house.queue.get(answer.json()["id"]).order.request
            house.queue.cancel(answer.json()["id"])
        finally:
            house.queue.resume()
        digest = hashlib.sha256(PICTURE).hexdigest()
        assert input_digests(order) == [("init_images", digest), ("mask", digest)]

    def test_img2img_starts_from_a_picture_by_its_address(self, client, web):
        request = {"init_images": [url_of(web, "/picture.png")], "steps": 1, "width": 64, "height": 64}
        request["override_settings"] = {"sd_model_checkpoint": "tiny-sd1"}
        answer = client.post("/sdapi/v1/img2img", json=request)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["images"]) == 1

    def test_verifying_takes_an_address_too(self, client, web):
        answer = client.post("/easel/v1/verify", json={"picture": url_of(web, "/picture.png")})
        assert answer.status_code == 200, answer.text

    def test_after_a_picture_that_cannot_be_fetched_no_other_is_asked_for(self, client, web):
        pictures = [url_of(web, "/nowhere")] * 3
        asked = len(web.asked)
        answer = client.post("/sdapi/v1/img2img", json={"init_images": pictures, "batch_size": 3})
        assert 400 <= answer.status_code < 500
        assert "status 404" in answer.json()["detail"]
        assert len(web.asked) == asked + 1


@pytest.mark.usefixtures("local_allowed")
def test_all_pictures_of_a_call_together_have_the_size_of_a_request(house, web):
    small = replace(house, flags=replace(house.flags, max_request_size=1))
    url = url_of(web, "/sizeable")
    assert len(GivenPictures(small).texts({"first": url})["first"]) == 800_000
    with pytest.raises(InvalidRequest, match=r"sends more than the 0\.4") as refused:
        GivenPictures(small).texts({"first": url, "second": url})
    assert refused.value.field == "second"


@pytest.mark.usefixtures("local_allowed")
def test_when_too_many_are_fetched_the_next_is_told_to_come_again(house, web):
    given, url = GivenPictures(house, most_calls=1), url_of(web, "/held")
    with ThreadPoolExecutor() as pool:
        first = pool.submit(given.text, "image", url)
        assert web.holds.wait(60)
        with pytest.raises(TooManyFetches) as refused:
            given.text("image", url)
        assert given.text("image", "abcd") == "abcd"
        web.released.set()
        assert first.result(60)
    assert status_of(refused.value) == 429
    assert base64.b64decode(given.text("image", url)) == PICTURE


PLACES = (
    ("/sdapi/v1/png-info", "image"),
    ("/sdapi/v1/extra-single-image", "image"),
    ("/sdapi/v1/img2img", "init_images"),
    ("/easel/v1/verify", "picture"),
)


@pytest.mark.parametrize(("route", "field"), PLACES, ids=[route for route, _ in PLACES])
def test_by_itself_no_route_asks_this_machine_whatever_the_request_lays_over(client, web, route, field):
    asked, url = len(web.asked), url_of(web, "/picture.png")
    body = {field: [url] if field == "init_images" else url}
    if field == "init_images":
        body["override_settings"] = {"api_forbid_local_requests": False}
    answer = client.post(route, json=body)
    assert 400 <= answer.status_code < 500
    assert "not of the public internet" in answer.json()["detail"]
    assert len(web.asked) == asked
