"""The network while it is trained: convolutions with batch norms, which the finished file has folded in."""

import torch
from torch import Tensor, nn

__all__ = ["WIDTHS", "Trainee"]

WIDTHS = (24, 48, 96, 128, 160)
DROPPED = 0.1


class Trainee(nn.Module):
    """The small tagger of `modules/interrogation/small_tagger.py`, for `tags` outputs."""

    def __init__(self, tags: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(before, width, 3, padding=1, bias=False)
            for before, width in zip((3, *WIDTHS), WIDTHS, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in WIDTHS)
        self.head = nn.Linear(WIDTHS[-1], tags)

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits (N, tags) for `pictures` (N, 3, side, side) in 0 .. 1."""
        state = pictures * 2 - 1
        for layer, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            state = norm(conv(state)).relu()
            if layer < len(self.convs) - 1:
                state = nn.functional.max_pool2d(state, 2)
        pooled = nn.functional.dropout(state.mean((2, 3)), DROPPED, self.training)
        return self.head(pooled)

    @torch.no_grad()
    def folded(self) -> dict[str, Tensor]:
        """The tensors of the finished file: each batch norm inside the convolution before it, in float16."""
        tensors = {"head.weight": self.head.weight, "head.bias": self.head.bias}
        for layer, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            tensors[f"conv.{layer}.weight"] = conv.weight * scale[:, None, None, None]
            tensors[f"conv.{layer}.bias"] = norm.bias - norm.running_mean * scale
        return {name: tensor.detach().half().contiguous() for name, tensor in tensors.items()}
