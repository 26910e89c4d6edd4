"""Pictures of cards: only from folders of models, only pictures, made small once, replaced whole."""

import base64
import io
import json

import pytest
from PIL import Image

from modules.errors import EaselError, NotFound
from modules.extra_networks import NetworkKind, replace_preview
from modules.imaging import read_texts
from tests.extra_networks.small_networks import write_picture


def opened(picture):
    return Image.open(io.BytesIO(picture.data))


def in_base64(colour):
    file = io.BytesIO()
    Image.new("RGB", (40, 20), colour).save(file, "JPEG")
    return base64.b64encode(file.getvalue()).decode()


def test_a_preview_is_sent_whole_or_in_small(networks):
    path = write_picture(networks.lora("ink").with_suffix(".png"), size=(600, 900))
    previews = networks.catalogue().previews
    whole = previews.of_file(str(path))
    assert (whole.data, whole.media_type) == (path.read_bytes(), "image/png")
    small = previews.of_file(str(path), 300)
    assert (opened(small).size, small.media_type) == ((200, 300), "image/webp")


def test_small_copies_are_kept_and_go_with_the_picture(networks):
    path = write_picture(networks.lora("ink").with_suffix(".png"), "red")
    previews = networks.catalogue().previews
    previews.of_file(str(path), 32)
    store = networks.folders.cache / "previews"
    (kept,) = store.iterdir()
    kept.write_bytes(b"kept")
    assert networks.catalogue().previews.of_file(str(path), 32).data == b"kept"
    write_picture(path, "blue")
    red, _, blue = opened(previews.of_file(str(path), 32)).convert("RGB").getpixel((5, 5))
    assert blue > 200 > red
    assert len(list(store.iterdir())) == 1


@pytest.mark.parametrize(
    "place",
    ["/etc/passwd", "{data}/config.json", "{loras}/../../secret.png", "{loras}/ink.safetensors", "ink.png", "", "\0.png",
     "{loras}/gone.png", "{loras}", "{loras}/page.png"],
)  # fmt: skip
def test_nothing_else_is_sent(networks, place, tmp_path):
    networks.lora("ink")
    write_picture(tmp_path / "secret.png")
    (tmp_path / "config.json").write_text("{}")
    (networks.folders.loras[0] / "page.png").write_text("<script>alert(1)</script>")
    filename = place.format(data=tmp_path, loras=networks.folders.loras[0])
    for side in (None, 64):
        with pytest.raises(NotFound):
            networks.catalogue().previews.of_file(filename, side)


def test_a_damaged_picture_is_a_sentence(networks):
    path = write_picture(networks.lora("ink").with_suffix(".jpg"), size=(300, 300))
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(NotFound, match="ink"):
        networks.catalogue().previews.of_file(str(path), 64)


def test_pictures_inside_the_file_are_found(networks):
    covers = json.dumps([in_base64("red"), in_base64("blue")])
    thumbnail = f"data:image/jpeg;base64,{in_base64('lime')}"
    path = networks.lora("ink", {"ssmd_cover_images": covers, "modelspec.thumbnail": thumbnail})
    catalogue = networks.catalogue()
    assert catalogue.look(NetworkKind.LORA).cards[0].said.facts.has_cover
    colours = [opened(catalogue.previews.of_cover(path, n)).getpixel((9, 9)) for n in range(3)]
    assert [max(range(3), key=colour.__getitem__) for colour in colours] == [0, 2, 1]
    assert opened(catalogue.previews.of_cover(path, 0, 16)).size == (16, 8)
    with pytest.raises(NotFound, match="3 pictures"):
        catalogue.previews.of_cover(path, 3)


@pytest.mark.parametrize("text", ["[]", "{", '["!"]', "[3]", '["aGVsbG8="]'])
def test_a_cover_that_is_no_picture_is_not_found(networks, text):
    path = networks.lora("ink", {"ssmd_cover_images": text})
    with pytest.raises(NotFound):
        networks.catalogue().previews.of_cover(path)


def test_a_replaced_preview_counts_before_all_others_and_keeps_its_text(networks, tmp_path):
    path = networks.lora("ink")
    for name in ("ink.preview.png", "ink.jpg", "ink.png"):
        write_picture(path.with_name(name), "red")
    catalogue = networks.catalogue()
    from modules.imaging import SaveFormat, encode_picture

    drawn = encode_picture(Image.new("RGB", (8, 8), "blue"), "a cat\nSteps: 3", SaveFormat())
    replace_preview(catalogue.find(NetworkKind.LORA, "ink"), Image.open(io.BytesIO(drawn.data)))
    card = catalogue.find(NetworkKind.LORA, "ink")
    with Image.open(card.preview.path) as shown:
        assert shown.getpixel((4, 4)) == (0, 0, 255)
        assert read_texts(shown).infotext == "a cat\nSteps: 3"
    assert not [each for each in path.parent.iterdir() if each.suffix == ".tmp"]


def test_an_embedding_that_is_a_picture_is_not_written_over(networks):
    embedding = write_picture(networks.folders.embeddings[0] / "word.png")
    before = embedding.read_bytes()
    catalogue = networks.catalogue()
    card = catalogue.find(NetworkKind.TEXTUAL_INVERSION, "word")
    replace_preview(card, Image.new("RGB", (8, 8), "blue"))
    assert embedding.read_bytes() == before
    assert catalogue.find(NetworkKind.TEXTUAL_INVERSION, "word").preview.path.name == "word.preview.png"


def test_a_folder_that_is_gone_is_a_sentence(networks):
    path = networks.lora("sub/ink")
    card = networks.catalogue().find(NetworkKind.LORA, "ink")
    path.unlink()
    path.parent.rmdir()
    with pytest.raises(EaselError, match="cannot be written"):
        replace_preview(card, Image.new("RGB", (8, 8)))
