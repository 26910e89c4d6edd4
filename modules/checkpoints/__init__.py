"""Checkpoints: finding and hashing them, opening them as data, and building the model."""

from modules.checkpoints.files import CheckpointFile, HashedFile, VaeFile
from modules.checkpoints.hashes import HashCache, old_hash
from modules.checkpoints.loading import ModelPlan, load_model, plan_model, with_vae
from modules.checkpoints.model import ExtraInput, Family, Model, Prediction, TextTower, TowerUse, VectorNumber
from modules.checkpoints.opening import open_tensors
from modules.checkpoints.recognition import family_of
from modules.checkpoints.safetensors_file import read_metadata
from modules.checkpoints.shelf import CheckpointShelf, VaeShelf, files_below
from modules.checkpoints.tensor_file import StoredTensor, TensorFile
from modules.checkpoints.tokenizers import load_tokenizer
from modules.checkpoints.torch_file import read_text_lists
from modules.checkpoints.torch_tree import read_tree

__all__ = [
    "CheckpointFile",
    "CheckpointShelf",
    "ExtraInput",
    "Family",
    "HashCache",
    "HashedFile",
    "Model",
    "ModelPlan",
    "Prediction",
    "StoredTensor",
    "TensorFile",
    "TextTower",
    "TowerUse",
    "VaeFile",
    "VaeShelf",
    "VectorNumber",
    "family_of",
    "files_below",
    "load_model",
    "load_tokenizer",
    "old_hash",
    "open_tensors",
    "plan_model",
    "read_metadata",
    "read_text_lists",
    "read_tree",
    "with_vae",
]
