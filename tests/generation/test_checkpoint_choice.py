"""Which checkpoint draws when the settings name none."""

import pytest

from modules.errors import NotFound
from modules.flags import parse_flags
from modules.folders import Folders
from modules.generation import Engine, SilentWatcher, parse_txt2img, plan_run
from modules.house import House, make_house
from modules.prompts import StyleBook
from modules.settings import Options


def engine(tmp_path, *flags) -> Engine:
    flags = parse_flags(["--data-dir", str(tmp_path / "user"), *flags], environment={})
    return Engine(Folders.from_flags(flags), flags)


def test_a_fresh_clone_draws_with_the_programs_own(tmp_path):
    chosen = engine(tmp_path)
    assert chosen.checkpoint_of(Options()).stem == "easel-emoji"
    assert chosen.native_size(Options()) == (128, 128)


def test_a_users_checkpoint_comes_before_the_programs_own(tmp_path, parity_models):
    assert engine(tmp_path, "--ckpt-dir", str(parity_models)).checkpoint_of(Options()).stem != "easel-emoji"


def test_what_is_no_checkpoint_is_passed_over_until_it_is_replaced_by_one(tmp_path, parity_models):
    folder = tmp_path / "user" / "models" / "Stable-diffusion"
    folder.mkdir(parents=True)
    (folder / "a.safetensors").write_bytes((parity_models / "Lora" / "tiny-lora.safetensors").read_bytes())
    (folder / "b.ckpt").write_bytes(b"no pickle")
    (folder / "c.safetensors").write_bytes((parity_models / "tiny-sd1.safetensors").read_bytes())
    chosen = engine(tmp_path)
    assert chosen.checkpoint_of(Options()).stem == "c"
    named = Options().overridden({"sd_model_checkpoint": "a.safetensors"})
    with pytest.raises(NotFound, match="is a LoRA, not a checkpoint"):
        chosen.checkpoint_of(named)
    (folder / "b.ckpt").unlink()
    (folder / "c.safetensors").replace(folder / "a.safetensors")
    chosen.shelf.refresh()
    assert chosen.checkpoint_of(Options()).stem == "a"


def test_the_checkpoint_of_the_command_line_is_used_until_another_is_chosen(tmp_path, parity_models):
    tiny = parity_models / "tiny-sd1.safetensors"
    chosen = engine(tmp_path, "--ckpt", str(tiny))
    assert chosen.checkpoint_of(Options()).path == tiny.resolve()
    named = Options().overridden({"sd_model_checkpoint": "easel-emoji"})
    assert chosen.checkpoint_of(named).stem == "easel-emoji"


def test_a_checkpoint_that_is_not_there_is_said(tmp_path):
    with pytest.raises(NotFound, match="no-such-model"):
        engine(tmp_path).checkpoint_of(Options().overridden({"sd_model_checkpoint": "no-such-model"}))


def test_an_order_names_its_checkpoint_so_that_a_new_file_does_not_change_it(tmp_path, parity_models):
    house = engine(tmp_path, "--ckpt-dir", str(parity_models))
    book = StyleBook([tmp_path / "styles.csv"])
    order = house.order(parse_txt2img({"prompt": "a cat", "width": 64, "height": 64}), Options(), book)
    first = house.checkpoint_of(Options())
    assert order.settings["sd_model_checkpoint"] == first.title
    folder = tmp_path / "user" / "models" / "Stable-diffusion"
    folder.mkdir(parents=True)
    (folder / "0-new.safetensors").write_bytes((parity_models / "tiny-sd1.safetensors").read_bytes())
    house.shelf.refresh()
    assert house.checkpoint_of(Options()).path != first.path
    assert house.checkpoint_of(plan_run(order).options).path == first.path


@pytest.fixture
def make(tmp_path, parity_models):
    """Makes a program over the small models, whose settings name a checkpoint."""
    houses = []
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "config.json").write_text('{"sd_model_checkpoint": "easel-emoji"}')

    def make(*words: object) -> House:
        given = ["--data-dir", tmp_path / "user", "--ckpt-dir", parity_models, *words]
        houses.append(make_house(parse_flags([str(word) for word in given], environment={})))
        return houses[-1]

    yield make
    for house in houses:
        house.close()


def test_the_command_line_comes_before_the_settings_and_changes_no_file(make, tmp_path, parity_models):
    house = make("--ckpt", parity_models / "tiny-sd1.safetensors")
    assert house.engine.checkpoint_of(house.store.options).stem == "tiny-sd1"
    assert "tiny" not in (tmp_path / "user" / "config.json").read_text()
    house.change_settings({"sd_model_checkpoint": "easel-emoji"})
    assert house.engine.checkpoint_of(house.store.options).stem == "easel-emoji"


def test_of_two_files_with_one_name_that_of_the_command_line_is_used(make, tmp_path, parity_models):
    own = tmp_path / "tiny-sd1.safetensors"
    own.write_bytes((parity_models / "tiny-sd1.safetensors").read_bytes())
    house = make("--ckpt", own)
    assert house.engine.checkpoint_of(house.store.options).path == own


@pytest.mark.parametrize(
    ("flag", "name", "reason"),
    [
        ("--ckpt", "nope.safetensors", "there is no file "),
        ("--ckpt", "", "is no file"),
        ("--ckpt", "x.vae.safetensors", "is not named as a checkpoint is"),
        ("--vae-path", "nope.vae.pt", "there is no file "),
    ],
)
def test_a_model_of_the_command_line_that_is_none_is_refused_and_no_other_one_draws(
    make, tmp_path, flag, name, reason
):
    (tmp_path / "x.vae.safetensors").write_bytes(b"")
    with pytest.raises(NotFound, match=f"^{flag}: .*{reason}.* leave {flag} out"):
        make(flag, tmp_path / name)


def test_a_checkpoint_of_the_command_line_that_goes_away_is_missed(make, tmp_path, parity_models):
    own = tmp_path / "own.safetensors"
    own.write_bytes((parity_models / "tiny-sd1.safetensors").read_bytes())
    house = make("--ckpt", own)
    own.unlink()
    house.engine.shelf.refresh()
    with pytest.raises(NotFound):
        house.engine.checkpoint_of(house.store.options)


def test_the_vae_of_the_command_line_is_used_with_every_checkpoint(make, all_parity_models):
    path = next(path for path in all_parity_models.glob("*vae*") if path.is_file())
    house = make("--vae-path", path)
    request = parse_txt2img({"prompt": "a cat", "steps": 1, "width": 64, "height": 64, "seed": 1})
    options = house.store.options.overridden({"sd_model_checkpoint": "tiny-sd1", "sd_vae": "None"})
    house.engine.make(house.engine.plan(request, options, house.styles, save=False), SilentWatcher())
    assert house.engine.model.vae_file.path == path


def test_a_queue_that_cannot_be_kept_lasts_for_one_run(make, tmp_path, monkeypatch):
    monkeypatch.setattr("modules.usable_folders._why_not_written", lambda place: "Read-only file system")
    house = make()
    house.queue.open()
    assert house.folders.scratch.is_dir()
    house.close()
    assert not house.folders.scratch.exists()
    assert not list((tmp_path / "user").glob("easel.*"))
