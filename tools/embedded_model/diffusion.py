"""The text encoder and the UNet, trained together on the latents and captions of all drawings."""

import logging
import math
import random
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from tools.embedded_model.captions import all_captions, caption
from tools.embedded_model.concepts import CONCEPTS, STYLES
from tools.embedded_model.state import Ema, load_state, save_state

__all__ = ["Drawer", "alphas_cumprod", "train_drawer"]

log = logging.getLogger(__name__)

WIDTH, TOKENS, END_TOKEN, START_TOKEN, VOCABULARY = 128, 77, 49407, 49406, 49408
BATCH = 32
TIMES_PER_DRAWING = (
    2  # a drawing and its caption serve twice in a batch: the text encoder costs a third of a step
)
PEAK_RATE, WARM_UP, SAVE_EVERY = 8e-4, 200, 250
STEPS, LARGEST_WEIGHT, EMA_DECAY = 1000, 8.0, 0.998


def text_config(vocabulary: int, end_token: int) -> CLIPTextConfig:
    """A CLIP text model in small: 3 layers, 128 wide, heads of 64 as in every CLIP."""
    return CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        num_hidden_layers=3,
        num_attention_heads=WIDTH // 64,
        max_position_embeddings=TOKENS,
        hidden_act="quick_gelu",
        projection_dim=WIDTH,
        bos_token_id=0,
        eos_token_id=end_token,
        pad_token_id=end_token,
    )


class Drawer(nn.Module):
    """Text encoder and UNet; only the `tokens` that captions use have embeddings while it learns.

    The UNet attends to the words on two of its four levels. On the finest it would cost two thirds of a step.
    """

    def __init__(self, tokens: list[int]) -> None:
        super().__init__()
        self.tokens = tokens
        self.text = CLIPTextModel(text_config(len(tokens), tokens.index(END_TOKEN)))
        nn.init.normal_(self.text.get_input_embeddings().weight, std=0.3)
        self.unet = UNet2DConditionModel(
            sample_size=16,
            block_out_channels=(64, 64, 128, 128),
            down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * 2, "DownBlock2D"),
            up_block_types=("UpBlock2D", *["CrossAttnUpBlock2D"] * 2, "UpBlock2D"),
            layers_per_block=1,
            cross_attention_dim=WIDTH,
            attention_head_dim=4,
        )

    def forward(self, x: Tensor, time: Tensor, ids: Tensor, which: Tensor) -> Tensor:
        """Predicted noise for x (B, 4, 16, 16) at `time` (B,); `ids` (captions, 77), `which` (B,) chooses
        among them."""
        states = self.text(ids).last_hidden_state
        return self.unet(x, time, states[which]).sample


def alphas_cumprod() -> Tensor:
    """Stable Diffusion 1's schedule: 1000 steps, betas linear in their square root from 0.00085 to 0.012."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, STEPS, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0).float()


class _Captions:
    """Captions as rows of compact token ids."""

    def __init__(self, tokenizer: CLIPTokenizer) -> None:
        self._tokenizer = tokenizer
        texts = sorted(all_captions(CONCEPTS, STYLES))
        self.tokens = sorted(
            {token for text in texts for token in self._ids(text)} | {START_TOKEN, END_TOKEN}
        )
        self._places = {token: place for place, token in enumerate(self.tokens)}

    def _ids(self, text: str) -> list[int]:
        return self._tokenizer(text, padding="max_length", max_length=TOKENS, truncation=True)["input_ids"]

    def rows(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Distinct rows (captions, 77), and for each text the number of its row."""
        distinct = sorted(set(texts))
        rows = torch.tensor([[self._places[token] for token in self._ids(text)] for text in distinct])
        return rows, torch.tensor([distinct.index(text) for text in texts])


class _Order:
    """Every drawing once, in a random order, again and again."""

    def __init__(self, concepts: int, styles: int, rng: random.Random) -> None:
        self._all = [(concept, style) for concept in range(concepts) for style in range(styles)]
        self._rng = rng
        self.waiting: list[tuple[int, int]] = []

    def take(self, count: int) -> list[tuple[int, int]]:
        while len(self.waiting) < count:
            shuffled = self._all.copy()
            self._rng.shuffle(shuffled)
            self.waiting += shuffled
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        return taken


def _rate(step: int, steps: int) -> float:
    cosine = 0.5 * (1 + math.cos(math.pi * step / steps))
    return PEAK_RATE * min(1, (step + 1) / WARM_UP) * (0.02 + 0.98 * cosine)


def _times(generator: torch.Generator) -> Tensor:
    """(BATCH,) steps of the schedule, one from each of BATCH equal parts."""
    parts = torch.arange(BATCH) + torch.rand(BATCH, generator=generator)
    return (parts / BATCH * STEPS).long().clamp(max=STEPS - 1)


def _loss(drawer: Drawer, clean: Tensor, ids: Tensor, which: Tensor, generator: torch.Generator) -> Tensor:
    """How wrong the predicted noise in clean (BATCH, 4, 16, 16) is; captions as `_Captions.rows` gives them.

    Errors are weighted with 1/sqrt(signal-to-noise), at most LARGEST_WEIGHT: more at high noise than with the
    min-SNR weights of Hang et al. 2023 (https://arxiv.org/abs/2303.09556). Only there the words decide; later
    the picture itself says what it is to become.
    """
    time = _times(generator)
    noise = torch.randn(clean.shape, generator=generator)
    level = alphas_cumprod()[time].view(-1, 1, 1, 1)
    weight = ((1 - level) / level).sqrt().clamp(max=LARGEST_WEIGHT)
    noisy = level.sqrt() * clean + (1 - level).sqrt() * noise
    device = drawer.unet.device
    predicted = drawer(*(each.to(device) for each in (noisy, time, ids, which)))
    return ((predicted - noise.to(device)).square() * weight.to(device)).mean()


def train_drawer(
    latents: Tensor, tokenizer: CLIPTokenizer, steps: int, state_file: Path, device: str
) -> Drawer:
    """Text encoder and UNet trained for `steps` on `latents` (concepts, styles, 4, 16, 16) of deviation 1.

    The UNet predicts noise, at times spread evenly over each batch. Begun training goes on from `state_file`.
    """
    torch.manual_seed(0)
    captions, rng, generator = _Captions(tokenizer), random.Random(0), torch.Generator().manual_seed(2)
    drawer = Drawer(captions.tokens).to(device)
    ema = Ema(drawer, decay=EMA_DECAY)
    optimizer = torch.optim.AdamW(drawer.parameters(), lr=PEAK_RATE, weight_decay=0.01, betas=(0.9, 0.99))
    order = _Order(*latents.shape[:2], rng)
    kept: list[tuple[object, list[tuple[int, int]]]] = []
    done = load_state(state_file, drawer, ema, optimizer, generator, kept)
    for random_state, waiting in kept:
        rng.setstate(random_state)
        order.waiting = waiting
    mean_loss = 0.0
    for step in range(done, steps):
        for group in optimizer.param_groups:
            group["lr"] = _rate(step, steps)
        chosen = order.take(BATCH // TIMES_PER_DRAWING)
        texts = [caption(CONCEPTS[concept], STYLES[style], rng) for concept, style in chosen]
        ids, which = captions.rows(texts * TIMES_PER_DRAWING)
        clean = torch.stack([latents[place] for place in chosen * TIMES_PER_DRAWING])
        loss = _loss(drawer, clean, ids, which, generator)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(drawer.parameters(), 1.0)
        optimizer.step()
        ema.update(step)
        mean_loss += (loss.item() - mean_loss) * (0.02 if step > done else 1.0)
        if (step + 1) % 50 == 0:
            log.info("UNet step %d of %d: loss %.4f", step + 1, steps, mean_loss)
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
            other = (rng.getstate(), order.waiting)
            save_state(state_file, step + 1, drawer, ema, optimizer, generator, other)
    ema.shadow.tokens = captions.tokens
    return ema.shadow
