"""What verifying says when something is missing, changed or damaged."""

import hashlib
import json
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from safetensors.torch import load_file, save_file

from modules.errors import EaselError
from modules.generation import SilentWatcher
from modules.proof import Proof, Verdict, VerdictKind, read_evidence, retrace, verify_picture

from .conftest import make_engine, record_in, with_record

HIRES = {"enable_hr": True, "hr_scale": 1.5}


@pytest.fixture
def verify(studio):
    def verify(path) -> Verdict:
        return verify_picture(path, studio.engine)

    return verify


def says(verdict: Verdict, kind: VerdictKind, *parts: str) -> None:
    assert verdict.kind is kind, verdict
    for part in parts:
        assert part in verdict.sentence


def copy_model(models, folder, name):
    """The small checkpoint, with what stands beside it, under another name."""
    shutil.copytree(models / "tiny-clip", folder / "tiny-clip")
    for extension in (".safetensors", ".yaml"):
        shutil.copy(models / f"tiny-sd1{extension}", folder / f"{name}{extension}")


def test_what_is_no_picture_cannot_be_checked(verify, tmp_path):
    says(verify(tmp_path / "none.png"), VerdictKind.CANNOT, "cannot be read as a picture", "No such file")
    (tmp_path / "text.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    says(verify(tmp_path / "text.png"), VerdictKind.CANNOT, "cannot be read as a picture")


def test_a_picture_that_says_nothing_about_itself_cannot_be_checked(verify, tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "plain.png")
    says(verify(tmp_path / "plain.png"), VerdictKind.CANNOT, "neither a record nor a generation text")


def test_an_old_picture_is_drawn_from_its_text(verify, make):
    [path] = make({"negative_prompt": "a dog"}, enable_picture_record=False, CLIP_stop_at_last_layers=2)
    verdict = verify(path)
    says(verdict, VerdictKind.SAME_BITS)
    assert "carries no record" in verdict.notes[0]


def test_what_the_text_does_not_name_makes_an_old_picture_differ(verify, make):
    [path] = make({"sampler_name": "Euler a"}, enable_picture_record=False, eta_ancestral=0.2)
    with Image.open(path) as opened:
        image, text = opened.copy(), opened.text["parameters"]
    assert "Eta: 0.2, " in text
    chunks = PngInfo()
    chunks.add_text("parameters", text.replace("Eta: 0.2, ", "").replace("Easel 0", "Easel 9"))
    image.save(path, pnginfo=chunks)
    verdict = verify(path)
    says(verdict, VerdictKind.DIFFERS, "comes out differently", "What differs first: the program was Easel 9")
    assert "carries no record" in verdict.notes[0]


def test_a_text_without_a_seed_cannot_be_checked(verify, tmp_path):
    target = tmp_path / "a.gif"
    Image.new("RGB", (64, 64)).save(target, comment=b"a cat\nSteps: 2, Sampler: Euler, Size: 64x64")
    says(verify(target), VerdictKind.CANNOT, "names no seed")


@pytest.mark.parametrize("by", [1, 40])
def test_one_changed_pixel_is_found(verify, make, by):
    [path] = make()
    with Image.open(path) as opened:
        image = opened.copy()
    red, green, blue = image.getpixel((11, 5))
    image.putpixel((11, 5), ((red + by) % 256, green, blue))
    verdict = verify(with_record(path, record_in(path), image))
    says(
        verdict,
        VerdictKind.DIFFERS,
        "pixels were changed after it was drawn",
        "1x1 pixels at (11, 5)",
        "it has the bits",
    )
    assert verdict.pixels.box == (11, 5, 12, 6)


@pytest.mark.parametrize("extension", ["jpg", "webp", "avif"])
def test_a_painted_corner_is_found_in_a_lossy_file(verify, make, extension):
    [path] = make({}, samples_format=extension)
    with Image.open(path) as opened:
        image, packet = opened.convert("RGB"), opened.info["xmp"]
    image.paste((255, 0, 255), (0, 0, 12, 12))
    image.save(path, quality=80, xmp=packet)
    says(verify(path), VerdictKind.DIFFERS, "pixels were changed after it was drawn", "it has the bits")


def test_a_cut_picture_is_found(verify, make):
    [path] = make()
    with Image.open(path) as opened:
        image = opened.crop((0, 0, 64, 32))
    says(verify(with_record(path, record_in(path), image)), VerdictKind.DIFFERS, "64x32", "64x64")


def test_a_step_of_one_is_rounding(verify, make):
    """As when another machine drew it: its record names the pixels that it drew."""
    [path] = make()
    record = record_in(path)
    with Image.open(path) as opened:
        image = opened.point(lambda value: min(value + 1, 255))
    record["pixels"]["sha256"] = hashlib.sha256(image.tobytes()).hexdigest()
    record["surroundings"]["device"] = "NVIDIA H100"
    verdict = verify(with_record(path, record, image))
    says(verdict, VerdictKind.WITHIN_ROUNDING, "up to 1 of 255", "device was NVIDIA H100 and is cpu")
    assert verdict.pixels.largest == 1


@pytest.mark.parametrize(
    ("change", "first"),
    [
        ({"torch": "1.0", "device": "NVIDIA H100"}, "torch was 1.0 and is 2"),
        ({"program": "Easel 9"}, "the program was Easel 9 and is Easel"),
        ({"device": "NVIDIA H100", "dtype": "float16"}, "device was NVIDIA H100 and is cpu"),
        ({"dtype": "float16"}, "the number type was float16 and is float32"),
        ({"tf32": True}, "arithmetic in TF32 was on and is off"),
        ({"diffusers": "0.1"}, "diffusers was 0.1 and is "),
    ],
)
def test_what_differs_first_is_said_when_it_comes_out_differently(verify, make, change, first):
    [path] = make()
    record = record_in(path)
    record["surroundings"] |= change
    same = verify(with_record(path, record))
    says(same, VerdictKind.SAME_BITS)
    assert first in str(same.differences[0])
    with Image.open(path) as opened:
        image = opened.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    record["pixels"]["sha256"] = hashlib.sha256(image.tobytes()).hexdigest()
    says(
        verify(with_record(path, record, image)),
        VerdictKind.DIFFERS,
        "comes out differently",
        f"What differs first: {first}",
    )


def test_another_seed_in_the_record_is_found(verify, make):
    [path] = make()
    record = record_in(path)
    record["request"]["seed"] += 1
    says(verify(with_record(path, record)), VerdictKind.DIFFERS, "comes out differently")


def test_a_checkpoint_under_another_name_is_as_good(make, tmp_path, all_parity_models):
    [path] = make()
    models = tmp_path / "models"
    copy_model(all_parity_models, models / "below", "renamed")
    verdict = verify_picture(path, make_engine(tmp_path / "data", models))
    says(verdict, VerdictKind.SAME_BITS)
    assert verdict.notes == (
        "tiny-sd1.safetensors is called renamed.safetensors here; the contents are the same.",
    )


def test_another_configuration_beside_the_checkpoint_is_said_first(make, tmp_path, all_parity_models):
    [path] = make()
    copy_model(all_parity_models, tmp_path / "models", "tiny-sd1")
    config = tmp_path / "models/tiny-sd1.yaml"
    config.write_text(config.read_text().replace("linear_end: 0.0120", "linear_end: 0.0130"))
    verdict = verify_picture(path, make_engine(tmp_path / "data", tmp_path / "models"))
    says(verdict, VerdictKind.DIFFERS, "What differs first: the .yaml beside the checkpoint was ")


def test_a_checkpoint_with_other_contents_is_not_drawn_with(make, tmp_path, all_parity_models):
    [path] = make()
    models = tmp_path / "models"
    models.mkdir()
    shutil.copy(all_parity_models / "tiny-sd1-b.safetensors", models / "tiny-sd1.safetensors")
    engine = make_engine(tmp_path / "data", models)
    now = engine.shelf.find("tiny-sd1.safetensors").sha256[:10]
    says(verify_picture(path, engine), VerdictKind.CANNOT, "has other contents here", now, "2f46c991c6")
    assert engine.model is None


def test_a_missing_checkpoint_is_named_with_its_hash(make, tmp_path, all_parity_models):
    [path] = make()
    models = tmp_path / "models"
    models.mkdir()
    says(
        verify_picture(path, make_engine(tmp_path / "data", models)),
        VerdictKind.CANNOT,
        "tiny-sd1.safetensors",
        "2f46c991c6",
        "not here",
    )


def test_the_checkpoint_of_the_hires_pass_is_looked_for_too(verify, make):
    *_, path = make({**HIRES, "hr_checkpoint_name": "tiny-sd1-b"})
    record = record_in(path)
    assert record["second"]["checkpoint"]["name"] == "tiny-sd1-b.safetensors"
    record["second"]["checkpoint"] = {"name": "gone.safetensors", "sha256": "0" * 64}
    says(verify(with_record(path, record)), VerdictKind.CANNOT, "gone.safetensors", "not here")


def test_a_vae_is_found_by_its_contents_or_missed(verify, make, tmp_path, all_parity_models):
    [path] = make({}, sd_vae="tiny-vae.safetensors")
    record = record_in(path)
    record["model"]["vae"]["name"] = "of-old.pt"
    says(verify(with_record(path, record)), VerdictKind.SAME_BITS)
    record["model"]["vae"]["sha256"] = "1" * 64
    says(verify(with_record(path, record)), VerdictKind.CANNOT, "The VAE of-old.pt", "not here")
    record["model"]["vae"]["name"] = "tiny-vae.safetensors"
    says(
        verify(with_record(path, record)),
        VerdictKind.CANNOT,
        "The VAE tiny-vae.safetensors",
        "other contents",
    )


def test_a_vae_beside_the_checkpoint_does_not_slip_in(make, tmp_path, all_parity_models):
    [path] = make()
    models = tmp_path / "models"
    copy_model(all_parity_models, models, "tiny-sd1")
    save_file(load_file(all_parity_models / "tiny-vae.safetensors"), models / "tiny-sd1.vae.safetensors")
    says(verify_picture(path, make_engine(tmp_path / "data", models)), VerdictKind.SAME_BITS)


def test_without_hashes_files_count_by_their_names(make, tmp_path, all_parity_models):
    [path] = make()
    verdict = verify_picture(path, make_engine(tmp_path / "data", all_parity_models, "--no-hashing"))
    says(verdict, VerdictKind.SAME_BITS)
    assert "by its name" in verdict.notes[0]


def test_a_newer_record_is_called_so(verify, make):
    [path] = make()
    says(
        verify(with_record(path, {**record_in(path), "record": 2})),
        VerdictKind.CANNOT,
        "version 2",
        "newer program",
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"index": 1}, "picture 1 of 1"),
        ({"index": -1}, "picture -1 of 1"),
        ({"complete": False}, "given up before its last step"),
        ({"kind": "img2img"}, "drawn from another picture"),
        ({"role": "poster"}, "damaged, at role"),
        ({"pixels": {"mode": "F", "width": 1, "height": 1, "sha256": ""}}, "damaged, at pixels.mode"),
        ({"request": {"width": 65}}, "multiple of 8"),
        ({"request": {"sampler_name": "Dream"}}, "Dream"),
        ({"settings": {"randn_source": "dice"}}, "randn_source"),
    ],
)
def test_a_record_that_cannot_be_is_refused_with_the_reason(verify, make, change, said):
    [path] = make()
    says(verify(with_record(path, {**record_in(path), **change})), VerdictKind.CANNOT, said)


def test_a_record_cannot_set_what_is_not_about_pixels(studio, make):
    [path] = make()
    record = record_in(path)
    record["settings"] |= {"outdir_samples": "/elsewhere", "samples_save": False, "unknown": 1}
    record["request"] |= {"save_images": True, "override_settings": {"outdir_samples": "/elsewhere"}}
    proof = retrace(read_evidence(with_record(path, record)), studio.engine)
    assert proof.order.settings["outdir_samples"] == ""
    assert not proof.order.save
    assert "unknown" not in proof.order.settings


texts = st.text(max_size=60) | st.sampled_from(
    ["{", "[]", "null", "0", '{"record": 1}', "[" * 50_000, '{"record": "2"}']
)


@given(texts)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_in_the_place_of_a_record_gets_beyond_a_sentence(studio, make_once, text):
    says(verify_picture(with_record(make_once, text), studio.engine), VerdictKind.CANNOT, "record")


def leaves(value, at=()):
    """Paths to everything inside a record."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*at, key)
        yield from leaves(inner, (*at, key))


junk = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
    | st.sampled_from([[], {}, [{}], "0" * 64, 10**400, -1, "../../x", 2**70, "NaN"])
)  # fmt: skip


@given(st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_record_is_an_order_or_a_sentence_and_never_a_failure(studio, make_once, data):
    record = record_in(make_once)
    for _ in range(data.draw(st.integers(1, 3))):
        *before, last = data.draw(st.sampled_from(list(leaves(record))))
        place = record
        for key in before:
            place = place[key]
        if data.draw(st.booleans()) and isinstance(place, dict):
            del place[last]
        else:
            place[last] = data.draw(junk)
    try:
        proof = retrace(read_evidence(with_record(make_once, json.dumps(record))), studio.engine)
    except EaselError as error:
        assert str(error)
    else:
        assert isinstance(proof, Proof)
        assert set(proof.wanted) <= set(range(proof.order.pictures))


@pytest.fixture(scope="module")
def make_once(studio, tmp_path_factory):
    """A picture of a variation in a batch with hires, drawn once for all damages."""
    from modules.generation import parse_txt2img
    from modules.settings import Options

    from .conftest import TINY

    folder = tmp_path_factory.mktemp("once")
    values = {**TINY, **HIRES, "subseed": 3, "subseed_strength": 0.2, "styles": ["red"]}
    options = Options().overridden({"sd_model_checkpoint": "tiny-sd1", "outdir_samples": str(folder)})
    run = studio.engine.plan(parse_txt2img(values), options, studio.styles, save=True)
    return studio.engine.make(run, SilentWatcher()).pictures[0].path


def test_a_person_who_stops_it_gets_no_verdict(studio, make_once):
    class Stopping(SilentWatcher):
        def should_stop(self) -> bool:
            return True

    says(verify_picture(make_once, studio.engine, Stopping()), VerdictKind.CANNOT, "stopped before its end")
