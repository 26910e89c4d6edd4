"""The routes of cards: Easel's own, the field's, and what the page asks for."""

import base64
import io
import json

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from modules.flags import parse_flags
from modules.house import make_house
from modules.rest.app import create_api
from modules.web.extra_networks_routes import network_routes
from tests.extra_networks.small_networks import write_picture

EVIL = "x' onclick=alert(1) \"<img src=x onerror=alert(2)>"


@pytest.fixture
def make_client(networks, parity_models):
    """A client of a program over the folders of `networks`, with further flags."""
    from fastapi import FastAPI

    houses = []

    def make_client(*flags):
        arguments = ["--data-dir", str(networks.folders.data), "--ckpt-dir", str(parity_models), *flags]
        houses.append(make_house(parse_flags(arguments, environment={})))
        houses[-1].store.change({"sd_model_checkpoint": "tiny-sd1.safetensors"})
        app = FastAPI()
        create_api(app, houses[-1])
        app.include_router(network_routes(houses[-1]))
        client = TestClient(app, "http://127.0.0.1", raise_server_exceptions=False)
        client.house = houses[-1]
        return client

    yield make_client
    for house in houses:
        house.close()


@pytest.fixture
def client(make_client):
    return make_client()


def picture(colour="blue"):
    file = io.BytesIO()
    Image.new("RGB", (32, 48), colour).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_cards_are_listed_for_the_checkpoint_in_use(networks, client):
    networks.lora("sub/one", {"ss_base_model_version": "sd_v1"}, description="first", preferred_weight=0.5)
    networks.lora("large", {"ss_base_model_version": "sdxl_base_v1-0"})
    answer = client.get("/easel/v1/networks", params={"kind": "lora"}).json()
    assert [(card["name"], card["folder"], card["prompt"]) for card in answer["cards"]] == [
        ("one", "sub", "<lora:one:0.5>")
    ]
    assert (answer["total"], answer["other_versions"], answer["unread"]) == (1, 1, 0)
    assert answer["folders"] == [{"path": "sub", "count": 1}]
    client.house.change_settings({"sd_model_checkpoint": "tiny-sdxl.safetensors"})
    answer = client.get("/easel/v1/networks", params={"kind": "lora"}).json()
    assert [card["name"] for card in answer["cards"]] == ["large"]


def test_a_card_tells_what_it_was_trained_on(networks, client):
    tags = json.dumps({"10_ink": {"ink": 9, "hat": 4}})
    networks.lora("ink", {"ss_tag_frequency": tags, "ss_sd_model_name": "base.ckpt"})
    card = client.get("/easel/v1/networks/card", params={"kind": "lora", "name": "ink"}).json()
    assert card["tags"] == [{"tag": "ink", "count": 9}, {"tag": "hat", "count": 4}]
    assert {"name": "Trained on", "value": "base.ckpt"} in card["facts"]
    assert card["closed_by"] is None


def test_what_a_person_writes_lies_beside_the_file(networks, client):
    path = networks.lora("ink", None, None, foo="kept", notes="old")
    address, who = "/easel/v1/networks/card", {"kind": "lora", "name": "ink"}
    text = {"description": "Ink", "sd_version": "SD1", "activation_text": "sumi", "preferred_weight": 0.7}
    answer = client.put(address, params=who, json=text).json()
    assert (answer["description"], answer["prompt"], answer["notes"]) == ("Ink", "<lora:ink:0.7> sumi", "old")
    assert json.loads(path.with_suffix(".json").read_text()) == {
        "foo": "kept",
        "notes": "old",
        "description": "Ink",
        "sd version": "SD1",
        "activation text": "sumi",
        "preferred weight": 0.7,
    }
    assert client.put(address, params=who, json={"preferred_weight": 7}).status_code == 422
    assert client.put(address, params=who, json={"sd_version": "SD9"}).json()["field"] == "sd_version"
    assert client.put(address, params={"kind": "lora", "name": "no"}, json={}).status_code == 404
    networks.lora("broken").with_suffix(".json").write_text("{")
    answer = client.put(address, params={"kind": "lora", "name": "broken"}, json={"notes": "x"})
    assert "left as it is" in answer.json()["detail"]


def test_a_preview_is_replaced_by_a_picture_and_by_nothing_else(networks, client):
    path = networks.lora("ink")
    address, who = "/easel/v1/networks/preview", {"kind": "lora", "name": "ink"}
    answer = client.put(address, params=who, json={"picture": picture()}).json()
    assert Image.open(path.with_suffix(".png")).getpixel((3, 3)) == (0, 0, 255)
    shown = client.get(f"/{answer['preview']}&size=64")
    assert (shown.headers["content-type"], shown.headers["x-content-type-options"]) == (
        "image/webp",
        "nosniff",
    )
    for wrong in ("", "aGVsbG8=", "http://example.com/a.png"):
        assert client.put(address, params=who, json={"picture": wrong}).status_code == 422
    # Its address is another one when it changes: browsers keep what is behind it.
    again = client.put(address, params=who, json={"picture": picture("red")}).json()
    assert again["preview"] != answer["preview"]


@pytest.mark.parametrize(("flags", "status"), [((), 403), (("--enable-insecure-folder-access",), 200)])
def test_strangers_write_nothing(networks, make_client, flags, status):
    path = networks.lora("ink")
    client = make_client("--listen", *flags)
    who = {"kind": "lora", "name": "ink"}
    wrote = client.put("/easel/v1/networks/card", params=who, json={"notes": "x"})
    shown = client.put("/easel/v1/networks/preview", params=who, json={"picture": picture()})
    assert (wrote.status_code, shown.status_code) == (status, status)
    assert path.with_suffix(".json").exists() == path.with_suffix(".png").exists() == (status == 200)
    if status == 403:
        assert "--listen" in wrote.json()["detail"]
        assert client.get("/easel/v1/networks/card", params=who).json()["closed_by"] == "--listen"


def test_the_fields_routes(networks, client):
    covers = json.dumps([picture("red")])
    table = json.dumps({"10_ink": {"ink": 9}})
    path = networks.lora("ink", {"ss_tag_frequency": table, "ssmd_cover_images": covers, "ss_seed": "42"})
    networks.lora("bare")
    metadata = client.get("/sd_extra_networks/metadata", params={"page": "lora", "item": "ink"}).json()
    assert json.loads(metadata["metadata"]) == {"ss_tag_frequency": {"10_ink": {"ink": 9}}, "ss_seed": "42"}
    for item in ("bare", "nobody"):
        assert client.get("/sd_extra_networks/metadata", params={"page": "lora", "item": item}).json() == {}
    cover = client.get("/sd_extra_networks/cover-images", params={"page": "lora", "item": "ink", "index": 0})
    assert Image.open(io.BytesIO(cover.content)).getpixel((3, 3)) == (255, 0, 0)
    write_picture(path.with_suffix(".webp"))
    thumb = client.get("/sd_extra_networks/thumb", params={"filename": str(path.with_suffix(".webp"))})
    assert (thumb.status_code, thumb.headers["content-type"]) == (200, "image/webp")
    secret = client.get("/sd_extra_networks/thumb", params={"filename": str(path)})
    assert secret.status_code == 404
    card = client.get(
        "/sd_extra_networks/get-single-card", params={"page": "lora", "tabname": "txt2img", "name": "ink"}
    )
    assert 'data-name="ink"' in card.json()["html"]
    titled = client.get("/sd_extra_networks/metadata", params={"page": "textual inversion", "item": "x"})
    assert titled.json() == {}


@pytest.mark.parametrize("is_html", [False, True])
def test_names_and_texts_from_files_cannot_become_part_of_the_page(networks, client, is_html):
    evil = EVIL.replace("/", "")
    networks.lora(evil, {"ss_output_name": EVIL}, description=EVIL, activation_text=EVIL, negative_text=EVIL)
    client.house.change_settings({"extra_networks_card_description_is_html": is_html})
    shown = client.get("/internal/web/networks", params={"kind": "lora"}).json()["html"]
    card = client.get("/sd_extra_networks/get-single-card", params={"page": "lora", "name": evil}).json()[
        "html"
    ]
    for html in (shown, card):
        tags = Tags(html)
        assert tags.names <= {"div", "button", "span", "img", "b"}
        assert not [name for name in tags.attributes if name.startswith("on")]
        assert tags.values["data-name"] == evil
        assert tags.values["data-prompt"].endswith(EVIL)


class Tags:
    """The tags of some HTML, as a browser reads them."""

    def __init__(self, text):
        from html.parser import HTMLParser

        self.names, self.attributes, self.values = set(), set(), {}

        class Reader(HTMLParser):
            def handle_starttag(reader, tag, attributes):  # noqa: N805
                self.names.add(tag)
                self.attributes |= {name for name, _ in attributes}
                self.values |= dict(attributes)

        Reader().feed(text)


def test_a_description_as_html_keeps_what_forms_text(networks, client):
    networks.lora(
        "ink", description='<b onclick="x()">bold</b> <script>alert(1)</script><a href="https://e.org">e</a>'
    )
    client.house.change_settings({"extra_networks_card_description_is_html": True})
    shown = client.get("/internal/web/networks", params={"kind": "lora"}).json()["html"]
    assert "<b>bold</b>" in shown
    assert '<a href="https://e.org" target="_blank" rel="noopener noreferrer nofollow">e</a>' in shown
    assert "alert" not in shown
    client.house.change_settings({"extra_networks_card_show_desc": False})
    assert "bold" not in client.get("/internal/web/networks", params={"kind": "lora"}).json()["html"]
