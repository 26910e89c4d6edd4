"""The reference's pictures for the reference's seeds: every recorded case of text and image to image,
posted to the program.
"""

import importlib.util
import json
from pathlib import Path

import pytest

HERE = Path(__file__).parent
GROUPS = (
    "samplers",
    "few-steps",
    "cfg",
    "clip-skip",
    "prompt",
    "noise",
    "seeds",
    "batch",
    "hires",
    "checkpoints",
    "img2img",
    "inpaint",
    "inpainting-model",
    "scripts",
    "adapters",
    "families",
)
SCRIPTS = ("Outpainting mk2", "Poor man's outpainting")

spec = importlib.util.spec_from_file_location("check", HERE / "check.py")
check = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check)


def is_in_reach(case: dict) -> bool:
    """The other scripts come with their own work."""
    return (
        case["group"] in GROUPS
        and case["request"].get("script_name") in (None, "", *SCRIPTS)
        and case["route"].endswith(("txt2img", "img2img"))
    )


CASES = [
    case
    for path in sorted((HERE / "cases").glob("*.json"))
    if is_in_reach(case := {"group": "", "route": "", "request": {}, **json.loads(path.read_text())})
]


def test_the_groups_that_this_suite_promises_are_all_there():
    assert {case["group"] for case in CASES} == set(GROUPS)
    assert len(CASES) >= 206


@pytest.mark.parity
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_recorded_case_comes_out_as_recorded(case, client):
    answer = client.post(case["route"], json=case["request"])
    assert answer.status_code == 200, answer.text[:400]
    assert check.judge(case, HERE / "cases", answer.json(), save=None) == ""
