"""Which checkpoint draws when the settings name none."""

import pytest

from modules.errors import NotFound
from modules.flags import parse_flags
from modules.folders import Folders
from modules.generation import Engine, parse_txt2img, plan_run
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
    assert chosen.checkpoint_of(named).stem == "a"
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
