"""Checkpoints: finding and hashing them, opening them as data, and building the model."""

from modules.checkpoints.files import CheckpointFile, HashedFile, VaeFile
from modules.checkpoints.foreign_text import encodable
from modules.checkpoints.hashes import FileStamp, HashCache, file_stamp, old_hash
from modules.checkpoints.loading import ModelPlan, load_model, plan_model, with_vae
from modules.checkpoints.model import (
    EightBits,
    ExtraInput,
    Family,
    KeptWeights,
    Model,
    Prediction,
    TextTower,
    TowerUse,
    VectorNumber,
)
from modules.checkpoints.narrow import as_kept, computing_dtype, exact_weight, weight_of
from modules.checkpoints.opening import open_tensors
from modules.checkpoints.outline import ModelOutline, outline_model
from modules.checkpoints.recognition import family_of, is_checkpoint, is_network, told_kind
from modules.checkpoints.safetensors_file import read_metadata
from modules.checkpoints.safetensors_writer import (
    ByteSink,
    TensorEntry,
    safetensors_header,
    safetensors_order,
    write_safetensors,
)
from modules.checkpoints.shelf import CheckpointShelf, VaeShelf
from modules.checkpoints.tensor_file import StoredTensor, TensorFile
from modules.checkpoints.tokenizers import load_tokenizer
from modules.checkpoints.torch_file import read_text_lists
from modules.checkpoints.torch_tree import read_tree
from modules.checkpoints.torch_writer import torch_file_size, write_torch_file
from modules.checkpoints.vae_layout import vae_names

__all__ = [
    "ByteSink",
    "CheckpointFile",
    "CheckpointShelf",
    "EightBits",
    "ExtraInput",
    "Family",
    "FileStamp",
    "HashCache",
    "HashedFile",
    "KeptWeights",
    "Model",
    "ModelOutline",
    "ModelPlan",
    "Prediction",
    "StoredTensor",
    "TensorEntry",
    "TensorFile",
    "TextTower",
    "TowerUse",
    "VaeFile",
    "VaeShelf",
    "VectorNumber",
    "as_kept",
    "computing_dtype",
    "encodable",
    "exact_weight",
    "family_of",
    "file_stamp",
    "is_checkpoint",
    "is_network",
    "load_model",
    "load_tokenizer",
    "old_hash",
    "open_tensors",
    "outline_model",
    "plan_model",
    "read_metadata",
    "read_text_lists",
    "read_tree",
    "safetensors_header",
    "safetensors_order",
    "told_kind",
    "torch_file_size",
    "vae_names",
    "weight_of",
    "with_vae",
    "write_safetensors",
    "write_torch_file",
]
