"""DeepDanbooru's network: how its convolutions hang together, and what it says."""

import pytest
import torch
from PIL import Image
from torch.nn.functional import conv2d, max_pool2d, pad

from modules.errors import InvalidRequest
from modules.interrogation.residual_tagger import Block, plan_blocks
from modules.settings import Options

ALL = Options().overridden({"interrogate_deepbooru_score_threshold": 0.0, "interrogate_return_ranks": True})


def shapes_of(stages, first, tags):
    """Weights' shapes for (inner width, blocks, whether the projection comes behind); widths grow fourfold."""
    shapes, width = [(first, 3, 7, 7)], first
    for inner, blocks, behind in stages:
        wide = inner * 4
        projection = (wide, width, 1, 1)
        for number in range(blocks):
            block = [(inner, width, 1, 1), (inner, inner, 3, 3), (wide, inner, 1, 1)]
            lead = [projection] if number == 0 and not behind else []
            tail = [projection] if number == 0 and behind else []
            shapes += [*lead, *block, *tail]
            width = wide
    return [*shapes, (tags, width, 1, 1)]


CUSTOM_V3 = [
    (64, 3, False),
    (128, 8, False),
    (256, 20, False),
    (256, 20, True),
    (512, 3, False),
    (1024, 3, False),
]


def test_the_published_network_has_its_projections_where_its_file_has_them():
    shapes = shapes_of(CUSTOM_V3, 64, 9176)
    assert len(shapes) == 179
    blocks = plan_blocks(shapes)
    assert {block.projection: block.halves for block in blocks if block.projection is not None} == {
        1: False, 11: True, 36: True, 100: True, 158: True, 168: True,
    }  # fmt: skip
    assert [block.first for block in blocks if block.projection == 100] == [97]
    assert blocks[-1] == Block(175, None, halves=False)


def test_other_shapes_are_no_such_network():
    with pytest.raises((ValueError, IndexError)):
        plan_blocks([(8, 3, 7, 7), (8, 8, 3, 3), (8, 8, 3, 3), (8, 8, 3, 3), (4, 8, 1, 1)])


SMALL = [(2, 2, False), (3, 1, False), (3, 1, True)]


@pytest.fixture
def weights():
    generator = torch.Generator().manual_seed(0)
    return [
        (
            torch.randn(shape, generator=generator) / (shape[1] * shape[2] ** 2) ** 0.5,
            torch.randn(shape[0], generator=generator) / 10,
        )
        for shape in shapes_of(SMALL, 2, 3)
    ]


@pytest.fixture
def network_file(folders, weights):
    path = folders.models / "torch_deepdanbooru" / "model-resnet_custom_v3.pt"
    path.parent.mkdir(parents=True)
    tensors = {
        f"n_Conv_{n}.{kind}": t
        for n, pair in enumerate(weights)
        for kind, t in zip(("weight", "bias"), pair, strict=True)
    }
    torch.save({**tensors, "tags": ["long_hair", "rating:safe", "red_dress"]}, path)
    return path


def by_hand(weights, picture):
    """The small network, layer by layer as it was published."""

    def layer(n, x, **more):
        return conv2d(x, *weights[n], **more)

    x = layer(0, pad(picture, [2, 3, 2, 3]), stride=2).relu()
    x = max_pool2d(pad(x, [0, 1, 0, 1], value=float("-inf")), 3, 2)
    x = (layer(4, layer(3, layer(2, x).relu(), padding=1).relu()) + layer(1, x)).relu()
    x = (layer(7, layer(6, layer(5, x).relu(), padding=1).relu()) + x).relu()
    around = layer(8, x, stride=2)
    x = (layer(11, layer(10, pad(layer(9, x).relu(), [0, 1, 0, 1]), stride=2).relu()) + around).relu()
    around = layer(15, x, stride=2)
    x = (layer(14, layer(13, pad(layer(12, x).relu(), [0, 1, 0, 1]), stride=2).relu()) + around).relu()
    return layer(16, x).mean((2, 3)).sigmoid()[0]


def test_the_fields_torch_file_is_read_and_gives_the_networks_scores(interrogation, network_file, weights):
    picture = Image.effect_noise((512, 512), 90).convert("RGB")
    values = torch.tensor(list(picture.tobytes()), dtype=torch.float32).view(512, 512, 3) / 255
    long_hair, _, red_dress = by_hand(weights, values.movedim(-1, 0)[None]).tolist()
    said = interrogation.describe(picture, "deepdanbooru", ALL)
    assert said.model == "model-resnet_custom_v3"
    assert said.text == f"(long hair:{long_hair:.3f}), (red dress:{red_dress:.3f})"


def test_a_torch_file_of_something_else_is_refused_in_a_sentence(interrogation, network_file):
    for content in ({"a": torch.zeros(1)}, {"n_Conv_0.weight": torch.zeros(1, 3, 7, 7), "tags": ["a"]}):
        torch.save(content, network_file)
        with pytest.raises(InvalidRequest, match="is not DeepDanbooru's network"):
            interrogation.describe(Image.new("RGB", (8, 8)), "deepdanbooru", ALL)


def test_a_torch_file_that_wants_to_run_something_is_not_read(interrogation, network_file):
    class Trap:
        def __reduce__(self):
            return print, ("was run",)

    torch.save({"tags": Trap()}, network_file)
    with pytest.raises(InvalidRequest, match="Nothing of it was run"):
        interrogation.describe(Image.new("RGB", (8, 8)), "deepdanbooru", ALL)
