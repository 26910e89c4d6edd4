"""Width and height follow the checkpoint in every browser, until somebody changes them."""

import json
import shutil

import pytest
from safetensors import safe_open
from safetensors.torch import save_file

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def sized(make_program, tmp_path_factory, parity_models):
    """A program over two checkpoints that say their sizes; it begins with the first."""
    folder = tmp_path_factory.mktemp("sized")
    with safe_open(parity_models / "tiny-sd1.safetensors", "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    for name, size in (("small", "72x64"), ("large", "136x128"), ("third", "200x192")):
        save_file(tensors, folder / f"{name}.safetensors", {"modelspec.resolution": size})
        shutil.copy(parity_models / "tiny-sd1.yaml", folder / f"{name}.yaml")
    return make_program(folder, sd_model_checkpoint="small.safetensors")


def sides(page, tab="txt2img"):
    return [page.input_value(f"#{tab}_{side} input[type=number]") for side in ("width", "height")]


def wait_for_sides(page, *wanted, tab="txt2img"):
    page.wait_for_function(
        "([tab, wanted]) => same(['width', 'height'].map((side) => String(sliderValue(`${tab}_${side}`))), wanted)",
        arg=[tab, list(wanted)],
    )


def choose(page, name):
    page.evaluate("name => postJson('sdapi/v1/options', { sd_model_checkpoint: name })", name)


def test_every_browser_shows_the_size_of_the_checkpoint_until_somebody_changes_it(open_page, sized):
    first = open_page(sized)
    assert sides(first) == sides(first, "img2img") == ["72", "64"]
    other = open_page(sized)
    other.click("#tab_img2img-button")
    other.fill("#img2img_width input[type=number]", "88")
    choose(first, "large")
    for page in (first, other):
        wait_for_sides(page, "136", "128")
        assert "136×128" in page.text_content("#txt2img_hr_resolution")
        page.wait_for_function("checkpointInUse().startsWith('large')")
    wait_for_sides(first, "136", "128", tab="img2img")
    assert sides(other, "img2img") == ["88", "64"]
    newcomer = open_page(sized)
    assert sides(newcomer) == sides(newcomer, "img2img") == ["136", "128"]
    # A browser that was here before, and was closed while the checkpoint changed.
    other.wait_for_function("localStorage.getItem('easel.form.txt2img').includes('136')")
    other.goto("about:blank")
    choose(first, "third")
    wait_for_sides(first, "200", "192")
    other.goto(sized.address)
    other.wait_for_function("typeof formIsRecalled !== 'undefined' && formIsRecalled")
    assert sides(other) == ["200", "192"]
    assert sides(other, "img2img") == ["88", "64"]


def test_what_the_user_s_own_defaults_say_stays(make_program, sized, open_page, tmp_path_factory):
    program = make_program(sized._checkpoints, sd_model_checkpoint="small.safetensors")
    page = open_page(program)
    assert sides(page) == ["72", "64"]
    program.stop()
    (program.folder / "ui-config.json").write_text(
        json.dumps({"txt2img/Width/value": 72, "img2img/Height/value": 96})
    )
    program.start()
    page = open_page(program)
    assert sides(page) == ["72", "64"]
    assert sides(page, "img2img") == ["72", "96"]
    choose(page, "large")
    wait_for_sides(page, "72", "128")
    wait_for_sides(page, "136", "96", tab="img2img")
