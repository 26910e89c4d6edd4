"""Captioning models in small, with random weights, as folders of the transformers library."""

from pathlib import Path

import torch
from transformers import (
    BertTokenizerFast,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    CLIPImageProcessor,
    GitConfig,
    GitForCausalLM,
)

WORDS = (
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "[DEC]",
    "a",
    "the",
    "cat",
    "dog",
    "hat",
    "sun",
    "with",
    "on",
    "of",
    "red",
)
SIZES = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
SIDE = 32


def _tokenizer(folder: Path) -> BertTokenizerFast:
    folder.mkdir(parents=True)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(WORDS))
    return BertTokenizerFast(vocab={word: number for number, word in enumerate(WORDS)})


def write_blip(folder: Path) -> Path:
    """A BLIP that says random words."""
    torch.manual_seed(0)
    words = {
        "vocab_size": len(WORDS),
        "bos_token_id": 5,
        "sep_token_id": 3,
        "eos_token_id": 3,
        "pad_token_id": 0,
    }
    config = BlipConfig(
        text_config={
            **SIZES,
            **words,
            "encoder_hidden_size": 16,
            "projection_dim": 16,
            "max_position_embeddings": 512,
        },
        vision_config={**SIZES, "image_size": SIDE, "patch_size": 16, "projection_dim": 16},
        projection_dim=16,
        image_text_hidden_size=16,
    )
    _tokenizer(folder).save_pretrained(folder)
    BlipForConditionalGeneration(config).save_pretrained(folder)
    BlipImageProcessor(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


def write_git(folder: Path) -> Path:
    """A GIT that says random words."""
    torch.manual_seed(0)
    config = GitConfig(
        vision_config={**SIZES, "image_size": SIDE, "patch_size": 16},
        **SIZES,
        vocab_size=len(WORDS),
        bos_token_id=2,
        eos_token_id=3,
        pad_token_id=0,
    )
    _tokenizer(folder).save_pretrained(folder)
    GitForCausalLM(config).save_pretrained(folder)
    CLIPImageProcessor(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
    ).save_pretrained(folder)
    return folder
