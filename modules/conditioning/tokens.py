"""What texts become for CLIP's tokenizer, and which of its tokens stand around them."""

from __future__ import annotations

from collections.abc import Sequence

from transformers import CLIPTokenizer

from modules.conditioning.stream import ChunkRules

__all__ = ["chunk_rules", "tokenise"]


def tokenise(tokenizer: CLIPTokenizer, texts: Sequence[str]) -> list[list[int]]:
    """The token ids of each text, however long, without start and end."""
    tokenised: list[list[int]] = tokenizer(
        list(texts), truncation=False, add_special_tokens=False, return_attention_mask=False, verbose=False
    )["input_ids"]
    return tokenised


def chunk_rules(tokenizer: CLIPTokenizer, backtrack: int, *, pads_with_end: bool = True) -> ChunkRules:
    """The tokens that chunks are made with; what pads them is the end token, or token 0."""
    end = tokenizer.eos_token_id
    return ChunkRules(
        start=tokenizer.bos_token_id,
        end=end,
        pad=end if pads_with_end else 0,
        comma=tokenizer.convert_tokens_to_ids(",</w>"),
        backtrack=backtrack,
    )
