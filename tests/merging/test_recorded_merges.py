"""The recorded merges: the same tensors bit for bit, the same files, the same metadata."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from modules.errors import EaselError

CASES = json.loads((Path(__file__).parents[1] / "parity" / "reference" / "merges.json").read_text())
DONE = [case for case in CASES if "error" not in case]
OURS = {"easel_baked_vae"}


def by_id(case):
    return case["id"]


def digest(tensors):
    found = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        found.update(name.encode())
        found.update(str(tensor.dtype).encode())
        found.update(str(tuple(tensor.shape)).encode())
        found.update(tensor.contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


@pytest.mark.parametrize("case", DONE, ids=by_id)
@pytest.mark.usefixtures("recorded")
def test_a_recorded_merge(case, merge, folders):
    done = merge(**case["arguments"])
    counted = Counter(str(tensor.dtype) for tensor in done.tensors.values())
    assert (len(done.tensors), counted) == (case["tensors"], case["dtypes"])
    assert digest(done.tensors) == case["digest"]
    written = sorted(path.name for path in folders.new_checkpoints.iterdir() if not path.is_symlink())
    assert written == sorted(case["files"])
    with safe_open(done.result.path, "pt") as file:
        metadata = file.metadata()
    assert {key: value for key, value in metadata.items() if key not in OURS} == case["metadata"]


@pytest.mark.usefixtures("recorded")
def test_an_ordinary_model_is_no_first_for_one_that_inpaints(plan, merge):
    case = next(case for case in CASES if "error" in case)
    assert "A must be the inpainting model" in case["error"]
    assert "A must be the inpainting model" in plan(**case["arguments"]).dry_run.refusal
    with pytest.raises(EaselError, match="A must be the inpainting model"):
        merge(**case["arguments"])
