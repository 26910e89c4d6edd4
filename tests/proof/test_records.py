"""What stands in the record of a picture, and what never does."""

import hashlib
import io
import json
import re
import zlib
from pathlib import Path

import pytest
from PIL import Image

from modules.generation import PictureRecord, SilentWatcher, parse_txt2img, picture_bytes
from modules.imaging import read_texts
from modules.settings import Options, describe_options

from .conftest import TINY, record_in

ROOMS = ("sampling", "conditioning", "checkpoints", "upscaling", "generation")
NOT_ABOUT_PIXELS = {
    "lora_add_hashes_to_infotext",
    "textual_inversion_add_hashes_to_infotext",
    "memory_forecast",
    # Whether and where pictures are saved, and what is shown and written about them.
    "samples_save", "grid_save", "return_grid", "grid_only_if_multiple", "save_images_before_highres_fix",
    "save_incomplete_images", "enable_picture_record", "outdir_samples", "outdir_txt2img_samples",
    "outdir_img2img_samples", "outdir_grids", "outdir_txt2img_grids", "outdir_img2img_grids", "show_progress_type", "show_progress_grid", "add_model_hash_to_info",
    "add_model_name_to_info", "add_vae_hash_to_info", "add_vae_name_to_info", "add_version_to_infotext",
    # What was encoded before is the same as what is encoded again.
    "persistent_cond_cache",
    # A model that was kept is the same as one that is loaded again.
    "sd_checkpoints_limit", "sd_checkpoints_keep_in_cpu", "sd_checkpoint_cache",
    # However a file is read, its numbers are the same.
    # What was decided by them stands in the record.
    "cpu_threads", "vae_strips", "vae_strips_from",
}  # fmt: skip


def test_a_record_names_all_that_decided_the_picture(make, all_parity_models):
    files = make(
        {"batch_size": 2, "styles": ["red"], "subseed": 5, "subseed_strength": 0.1, "steps": 3},
        sd_vae="tiny-vae.safetensors",
        CLIP_stop_at_last_layers=2,
    )
    record = record_in(files[1])
    checkpoint, vae = (
        {"name": name, "sha256": hashlib.sha256((all_parity_models / name).read_bytes()).hexdigest()}
        for name in ("tiny-sd1.safetensors", "tiny-vae.safetensors")
    )
    assert record["model"] | {"config": None} == {"checkpoint": checkpoint, "vae": vae, "config": None}
    assert record["model"]["config"]["name"] == "tiny-sd1.yaml"
    assert (record["index"], record["seed"], record["subseed"], record["role"]) == (1, 7, 6, "picture")
    assert record["request"] | {"steps": 3, "batch_size": 2, "cfg_scale": 7.0} == record["request"]
    assert record["settings"]["CLIP_stop_at_last_layers"] == 2
    assert record["styles"] == [{"name": "red", "prompt": "red {prompt}, bright", "negative_prompt": "blue"}]
    with Image.open(files[1]) as image:
        assert record["pixels"]["sha256"] == hashlib.sha256(image.tobytes()).hexdigest()
    assert {"program", "python", "torch", "diffusers", "transformers", "device", "dtype", "threads"} <= set(
        record["surroundings"]
    )


def test_seeds_are_those_that_were_drawn(make):
    first, second = (record_in(path) for path in make({"seed": -1, "n_iter": 2})[:2])
    assert first["seed"] >= 0
    assert second["seed"] == first["seed"] + 1
    assert first["request"]["seed"] == second["request"]["seed"] == first["seed"]


def test_the_same_request_gives_the_same_file(make, tmp_path):
    path = make()[0]
    before = path.read_bytes()
    path.unlink()
    assert make()[0].read_bytes() == before


def test_a_record_comes_back_as_it_was_written(make):
    text = json.dumps(record_in(make()[0]))
    assert PictureRecord.model_validate_json(text).model_dump(mode="json") == json.loads(text)


@pytest.mark.parametrize("extension", ["png", "jpg", "webp", "avif"])
def test_no_place_on_the_disk_stands_in_a_picture(make, studio, tmp_path, extension):
    """Not in the file, not in what is compressed in it; nor what other programs keep in the settings."""
    override = {
        "outdir_samples": str(tmp_path / "samples"),
        "samples_filename_pattern": "[seed]-secretpattern",
    }
    files = make(
        {"override_settings": override, "force_task_id": "secret-task", "batch_size": 2},
        samples_format=extension,
        grid_format=extension,
        a_password_of_an_extension="secret-word",
        directories_filename_pattern="secret-folder",
    )
    for path in files:
        data = path.read_bytes()
        held = data + b"".join(_inflated(data)) + read_record(path).encode()
        for secret in (
            "secret",
            str(studio.data),
            str(tmp_path),
            f"{Path.home()}/",
        ):
            assert secret.encode() not in held, (path.name, secret)


def _inflated(data: bytes):
    """What zlib holds in iTXt chunks of a PNG."""
    for match in re.finditer(b"iTXt", data):
        length = int.from_bytes(data[match.start() - 4 : match.start()], "big")
        chunk = data[match.end() : match.end() + length]
        yield zlib.decompress(chunk[chunk.index(b"x\x9c") :])


def read_record(path: Path) -> str:
    with Image.open(path) as image:
        return read_texts(image).record or ""


def test_no_setting_that_names_a_place_is_marked_as_deciding_pixels():
    assert not [info.key for info in describe_options() if info.affects_pixels and info.restricted]


def test_every_setting_that_drawing_reads_is_marked_or_known_to_change_no_pixel():
    """Whoever reads a new setting while drawing says with `affects_pixels` whether the record needs it."""
    modules = Path(__file__).parents[2] / "modules"
    source = "\n".join(path.read_text() for room in ROOMS for path in (modules / room).rglob("*.py"))
    read = set(re.findall(r"\boptions\.(\w+)", source)) & set(Options.model_fields)
    marked = {info.key for info in describe_options() if info.affects_pixels}
    assert len(read) > 40
    assert read - marked - NOT_ABOUT_PIXELS == set()


def test_a_picture_that_is_answered_carries_its_record_too(studio):
    for with_record in (True, False):
        options = Options().overridden(
            {"sd_model_checkpoint": "tiny-sd1", "enable_picture_record": with_record}
        )
        run = studio.engine.plan(parse_txt2img(TINY), options, studio.styles, save=False)
        [picture] = studio.engine.make(run, SilentWatcher()).pictures
        with Image.open(io.BytesIO(picture_bytes(picture, run))) as image:
            assert (read_texts(image).record is not None) is with_record


def test_a_picture_left_to_its_file_is_answered_with_its_record(make, studio):
    from modules.generation import MadePicture

    path = make()[0]
    kept = MadePicture(image=None, infotext="a cat\nSteps: 2", seed=7, subseed=0, path=path)
    run = studio.engine.plan(parse_txt2img(TINY), Options(), studio.styles)
    with Image.open(io.BytesIO(picture_bytes(kept, run))) as image:
        assert json.loads(read_texts(image).record) == record_in(path)


def test_a_file_that_is_gone_has_no_record_and_does_not_fail(make):
    from modules.generation import MadePicture

    path = make()[0]
    path.unlink()
    assert MadePicture(image=None, infotext="", seed=7, subseed=0, path=path).carried_record() is None
