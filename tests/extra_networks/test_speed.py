"""A thousand files are listed in under a second, also the first time; the second time costs next to nothing."""

import json
import struct
import time

from modules.extra_networks import ModelVersion, NetworkKind, ShownRules, Wish, list_cards

FILES = 1000
TENSORS = 200


def write_many(root):
    """Files with the header of a usual LoRA and no numbers behind it that matter."""
    shapes = {f"lora_unet_block_{n}_attn2_to_k.lora_down.weight": [1, 1] for n in range(TENSORS)}
    for number in range(FILES):
        folder = root / f"folder{number % 20}" / f"sub{number % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {
            name: {"dtype": "F32", "shape": shape, "data_offsets": [4 * at, 4 * at + 4]}
            for at, (name, shape) in enumerate(shapes.items())
        }
        tags = json.dumps({"10_x": {f"tag {n}": n for n in range(100)}})
        metadata = {"ss_base_model_version": "sd_v1", "ss_tag_frequency": tags}
        header = json.dumps({"__metadata__": metadata, **tensors}).encode()
        path = folder / f"net{number:04}.safetensors"
        path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4 * TENSORS))
        if number % 2:
            path.with_suffix(".json").write_text('{"description": "odd"}')


def listed(catalogue):
    begun = time.perf_counter()
    look = catalogue.look(NetworkKind.LORA)
    found = list_cards(look, Wish(search="net"), ShownRules(), ModelVersion.SD1)
    return found, time.perf_counter() - begun


def test_a_thousand_files_in_under_a_second(networks):
    write_many(networks.folders.loras[0])
    store = networks.folders.cache / "networks.json"
    seconds = []
    # A shared machine may be busy at one moment: the best of three first looks counts.
    for _ in range(3):
        store.unlink(missing_ok=True)
        catalogue = networks.catalogue()
        found, first = listed(catalogue)
        assert found.total == FILES
        seconds.append(first)
        if first < 1:
            break
    assert min(seconds) < 1, seconds
    while catalogue.look(NetworkKind.LORA).unread:
        time.sleep(0.05)
    assert min(listed(catalogue)[1] for _ in range(3)) < 0.2
