"""Small networks and pictures in a user's folders."""

import json

import torch
from PIL import Image
from safetensors.torch import save_file

from modules.adapters import AdapterShelves
from modules.checkpoints import CheckpointShelf, HashCache
from modules.extra_networks import Catalogue
from modules.flags import parse_flags
from modules.folders import Folders


def write_network(path, metadata=None, tensors=None):
    """A safetensors file that holds next to nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors or {"x": torch.zeros(1)}, path, metadata)
    return path


class Networks:
    """A user's folders below `data`, filled as a test needs it."""

    def __init__(self, data):
        self.folders = Folders.from_flags(parse_flags(["--data-dir", str(data)], environment={}))
        self.folders.ensure()

    def lora(self, name, metadata=None, tensors=None, **beside):
        """`name` may stand in sub-folders; `beside`: what the JSON file beside it says, by the field's keys with
        "_" for spaces.
        """
        path = write_network(self.folders.loras[0] / f"{name}.safetensors", metadata, tensors)
        if beside:
            keys = {key.replace("_", " "): value for key, value in beside.items()}
            path.with_suffix(".json").write_text(json.dumps(keys))
        return path

    def catalogue(self):
        """Anew, as after a start of the program."""
        hashes = HashCache(self.folders.cache / "hashes.json")
        checkpoints = CheckpointShelf(self.folders, hashes)
        return Catalogue(checkpoints, AdapterShelves(self.folders, hashes), self.folders)


def write_picture(path, colour="red", size=(64, 96)):
    Image.new("RGB", size, colour).save(path)
    return path
