"""JSON from outside is read by one function alone, with bounds."""

import ast
from pathlib import Path

MODULES = Path(__file__).resolve().parents[1] / "modules"
READERS = {
    "load",
    "loads",
    "raw_decode",
    "decode_json",
    "JSONDecoder",
    "model_validate_json",
    "validate_json",
}

OWN = {
    "foreign_json.py": "the one reader",
    "settings/salvage.py": "reads what is left of a broken file, a member at a time, and passes it on to the reader",
    "launching/environment.py": "the stamp that the program itself puts into its virtual environment",
    "door/auth.py": "an answer that the program itself has just made",
    "rest/easel/jobs.py": "what the program itself says of a job's pictures",
    "web/shown.py": "what the program itself says of a job's pictures",
    "jobs/records.py": "rows that the program itself wrote into its database",
    "batches/book.py": "lines that the program itself wrote beside its batches",
    "rest/easel/verify.py": "the record that the program itself has just put into a picture",
    "checkpoints/safetensors_file.py": "the first 64 kB of a header, and whatever is wrong there is left to the reader",
    "infotext/text.py": "one text in quotation marks, without anything inside",
}
"""Files that read JSON by themselves, and why no stranger's text gets there."""


def json_is_read_in(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in READERS
        and not (isinstance(node.value, ast.Name) and node.value.id in {"torch", "pickle", "yaml"})
        and (
            node.attr not in {"load", "loads"}
            or ast.unparse(node.value) in {"json", "orjson", "msgspec.json"}
        )
        for node in ast.walk(tree)
    ) or any(
        isinstance(node, ast.ImportFrom) and node.module in {"json", "orjson"} for node in ast.walk(tree)
    )


def test_json_from_outside_is_read_by_one_function_alone():
    readers = {
        path.relative_to(MODULES).as_posix()
        for path in MODULES.rglob("*.py")
        if json_is_read_in(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert readers == set(OWN), (
        "use modules.foreign_json, or say here why nobody else can have written the text"
    )
