"""The blocks of a UNet, and the multipliers that people write for them."""

import pytest

from modules.errors import InvalidRequest
from modules.merging import block_names, read_block_weights
from modules.merging.blocks import blocks_of

UNET = "model.diffusion_model."


def test_every_tensor_has_a_block():
    blocks = {
        f"{UNET}input_blocks.0.0.weight": "IN00",
        f"{UNET}input_blocks.11.1.norm.weight": "IN11",
        f"{UNET}middle_block.2.in_layers.0.bias": "M00",
        f"{UNET}output_blocks.8.0.emb_layers.1.weight": "OUT08",
        f"{UNET}time_embed.0.weight": "IN00",
        f"{UNET}label_emb.0.2.bias": "IN00",
        f"{UNET}out.2.weight": "OUT11",
        "cond_stage_model.transformer.text_model.final_layer_norm.bias": "BASE",
        "first_stage_model.decoder.conv_in.weight": "BASE",
    }
    assert blocks_of(blocks) == blocks


def test_the_last_block_is_the_models_own():
    assert (
        blocks_of([f"{UNET}output_blocks.5.0.weight", f"{UNET}out.2.weight"])[f"{UNET}out.2.weight"]
        == "OUT05"
    )


def test_single_blocks():
    assert read_block_weights("IN04=0.5, out03 : 1; BASE=-0.25") == {"IN04": 0.5, "OUT03": 1.0, "BASE": -0.25}
    assert read_block_weights("") == {}


@pytest.mark.parametrize(("count", "blocks", "first"), [(26, 12, 0), (25, 12, 1), (20, 9, 0), (19, 9, 1)])
def test_a_row_of_numbers(count, blocks, first):
    row = [number / 100 for number in range(count)]
    found = read_block_weights(",".join(map(str, row)))
    assert found == dict(zip(block_names(blocks)[first:], row, strict=True))


@pytest.mark.parametrize("text", ["1, 2, 3", "IN04=x", "IN04=nan", "hello", "IN04=0.5 and more"])
def test_what_is_no_multiplier_is_refused(text):
    with pytest.raises(InvalidRequest) as error:
        read_block_weights(text)
    assert error.value.field == "block_weights"
