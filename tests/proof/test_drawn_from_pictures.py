"""A picture that was drawn from another one is made again as long as that one is found, by its contents."""

import base64
import io

import pytest
from PIL import Image

from modules.generation import SilentWatcher, parse_img2img
from modules.proof import Verdict, VerdictKind, verify_picture
from modules.settings import Options

from .conftest import TINY, record_in


def png(shade: int, mode: str = "RGB", box: tuple[int, int, int, int] | None = None) -> bytes:
    file, image = io.BytesIO(), Image.new(mode, (64, 64), (shade, 80, 10) if mode == "RGB" else shade)
    if box:
        image.paste(255, box)
    image.save(file, "PNG")
    return file.getvalue()


FIRST, SECOND, MASK = png(200), png(40), png(0, "L", (8, 8, 40, 40))


@pytest.fixture
def redraw(studio, tmp_path):
    """A function from pictures and request values to the files of what is drawn from them."""

    def redraw(*pictures: bytes, mask: bytes | None = None, settings=None, **values):
        given = {"init_images": [base64.b64encode(each).decode() for each in pictures]}
        given |= {"mask": base64.b64encode(mask).decode()} if mask else {}
        places = {"outdir_samples": str(tmp_path / "samples"), "outdir_grids": str(tmp_path / "zgrids")}
        options = Options().overridden(
            {
                "sd_model_checkpoint": "tiny-sd1.safetensors",
                "save_to_dirs": False,
                **places,
                **(settings or {}),
            }
        )
        request = parse_img2img({**TINY, "denoising_strength": 0.6, **given, **values})
        run = studio.engine.plan(request, options, studio.styles, save=True)
        studio.engine.make(run, SilentWatcher())
        return sorted(path for path in tmp_path.rglob("*.png"))

    return redraw


@pytest.fixture
def verify(studio):
    """A function that verifies a picture file, with files that it may have been drawn from."""
    return lambda path, *sources: verify_picture(path, studio.engine, sources=sources)


def says(verdict: Verdict, kind: VerdictKind, *words: str) -> None:
    assert verdict.kind is kind, verdict
    assert all(word in verdict.sentence for word in words), verdict.sentence


@pytest.mark.parametrize("mask", [None, MASK])
def test_with_its_source_it_is_drawn_again_to_the_bit(redraw, verify, mask):
    [path] = redraw(FIRST, mask=mask, inpaint_full_res_padding=4)
    says(verify(path, *filter(None, [FIRST, mask])), VerdictKind.SAME_BITS)


def test_without_its_source_the_missing_one_is_named(redraw, verify):
    [path] = redraw(FIRST, mask=MASK)
    says(
        verify(path),
        VerdictKind.CANNOT,
        "init_images",
        record_in(path)["inputs"][0]["sha256"][:10],
        "--source",
    )
    says(
        verify(path, FIRST, SECOND), VerdictKind.CANNOT, "(mask)", record_in(path)["inputs"][1]["sha256"][:10]
    )


def test_a_source_is_found_among_what_is_kept_beside_the_picture_or_in_a_folder(
    redraw, verify, studio, tmp_path
):
    [path] = redraw(FIRST)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "renamed.dat").write_bytes(FIRST)
    says(verify(path, folder), VerdictKind.SAME_BITS)
    (path.parent / "beside.bin").write_bytes(FIRST)
    says(verify(path), VerdictKind.SAME_BITS)
    (path.parent / "beside.bin").unlink()
    digest = studio.engine.inputs.keep(FIRST)
    says(verify(path), VerdictKind.SAME_BITS)
    (studio.engine.inputs.folder / digest).unlink()
    says(verify(path), VerdictKind.CANNOT)


@pytest.mark.parametrize("exact_batches", [False, True])
def test_each_picture_of_a_batch_is_drawn_from_its_own(redraw, verify, exact_batches):
    paths = redraw(FIRST, SECOND, batch_size=2, n_iter=2, settings={"exact_batches": exact_batches})
    for path in paths[:4]:
        says(verify(path, SECOND, FIRST), VerdictKind.SAME_BITS)


def test_a_text_alone_does_not_say_what_it_was_drawn_from(redraw, verify):
    [path] = redraw(FIRST, settings={"enable_picture_record": False})
    says(verify(path, FIRST), VerdictKind.CANNOT, "no record", "not from which")
