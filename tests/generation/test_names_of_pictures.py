"""What the names of pictures tell, in every way of making them."""

import base64
import io

import pytest
from PIL import Image

from modules.generation import parse_img2img, parse_txt2img
from modules.imaging import describe_patterns

from .drawing import TINY, Recorder

OTHERWISE = {"[denoising]", "[user]", "[none]", "[hasprompt<word|other>]"}
TAGS = [each.tag for each in describe_patterns() if each.tag not in OTHERWISE]


def picture() -> str:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


def saved(house, request, folder, directories):
    options = house.store.options.overridden(
        {
            "sd_model_checkpoint": "tiny-sd1",
            "outdir_samples": str(folder),
            "directories_filename_pattern": directories,
            "samples_filename_pattern": "x-[denoising]",
            "return_grid": False,
            "grid_save": False,
        }
    )
    house.engine.make(house.engine.plan(request, options, house.styles, save=True), Recorder())
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))


@pytest.mark.parametrize("way", ["txt2img", "hires", "img2img", "inpaint"])
def test_every_tag_has_its_value_in_every_way(house, tmp_path, way):
    values = {**TINY, "prompt": "a cat", "negative_prompt": "dog", "batch_size": 2, "steps": 1}
    if way in ("img2img", "inpaint"):
        mask = {"mask": picture()} if way == "inpaint" else {}
        request = parse_img2img({**values, "init_images": [picture()], "denoising_strength": 0.4, **mask})
    else:
        hires = {"enable_hr": True, "hr_scale": 1.0, "denoising_strength": 0.4} if way == "hires" else {}
        request = parse_txt2img({**values, **hires})
    tags = [tag.replace("<N>", "<4>").replace("<Format><Time Zone>", "<%H>") for tag in TAGS]
    # A name has room for some of them: each is a folder.
    pictures = saved(house, request, tmp_path, "/".join(f"({tag})" for tag in tags))
    assert len(pictures) == 2
    for place in pictures:
        *folders, name = place.split("/")
        assert len(folders) == len(tags)
        assert [tag for tag, folder in zip(tags, folders, strict=True) if folder[1:-1] in ("", tag)] == []
        assert way == "txt2img" or name.endswith("-x-0.4.png")
