"""The rules of the house, held for all of it: style, types, floors, sizes, docstrings."""

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.flags import WITHOUT_EFFECT, Flags, described_flags
from modules.settings import describe_options

ROOT = Path(__file__).resolve().parents[1]
MODULES = ROOT / "modules"
FILES = sorted(path for path in MODULES.rglob("*.py") if "__pycache__" not in path.parts)
MOST_LINES_OF_A_FILE = 500
MOST_LINES_OF_A_FUNCTION = 80
READ_BY_LAUNCH = {"skip_python_version_check"}
ALWAYS_ON = {"api"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in FILES:
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def nodes(*kinds: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    for name, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, kinds):
                yield f"{name}:{node.lineno}", node


def is_declaration(node: ast.AST) -> bool:
    """A member of a protocol: its class's docstring speaks for it."""
    body = node.body[0]
    return isinstance(body, ast.Expr) and isinstance(body.value, ast.Constant) and body.value.value is ...


def public(parent: ast.Module | ast.ClassDef, path: str) -> Iterator[tuple[str, ast.AST]]:
    """Public classes and functions, and public methods of public classes."""
    for node in parent.body:
        if isinstance(node, (ast.ClassDef, *Function.__args__)) and not node.name.startswith("_"):
            if is_declaration(node):
                continue
            yield f"{path}:{node.lineno} {node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node, path)


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-m", "ruff", "check", "."],
        [sys.executable, "-m", "ruff", "format", "--check", "."],
        [sys.executable, "-m", "mypy"],
        [str(Path(sys.executable).with_name("lint-imports"))],
    ],
    ids=["ruff", "format", "types", "floors"],
)
def test_a_tool_has_nothing_to_say(command):
    done = run(*command)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_file_has_one_subject():
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES
    }
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES_OF_A_FILE} == {}


def test_a_function_fits_on_a_screen():
    long = {
        f"{place} {node.name}": lines
        for place, node in nodes(*Function.__args__)
        if (lines := node.end_lineno - node.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    }
    assert long == {}


def test_there_is_no_global_state():
    assert [place for place, _ in nodes(ast.Global)] == []


def test_only_the_command_line_prints():
    calls = [
        place
        for place, node in nodes(ast.Call)
        if isinstance(node.func, ast.Name)
        and node.func.id == "print"
        and not place.startswith("modules/cli/")
    ]
    assert calls == []


def test_everything_public_has_a_docstring():
    missing = [
        place
        for path, tree in trees()
        for place, node in public(tree, path)
        if ast.get_docstring(node) is None
    ]
    assert missing == []


def test_every_file_says_what_it_is_about():
    assert [path for path, tree in trees() if tree.body and ast.get_docstring(tree) is None] == []


@pytest.mark.parametrize(
    "room", ["flags", "folders", "settings", "prompts", "infotext", "imaging", "cli", "launching"]
)
def test_the_ground_floor_loads_without_torch(room):
    code = f"import sys, modules.{room}; sys.exit(bool({{'torch', 'gradio', 'fastapi', 'diffusers'}} & set(sys.modules)))"
    done = run(sys.executable, "-c", code)
    assert done.returncode == 0, f"modules.{room} brings in torch or the web{done.stderr}"


def test_every_setting_has_an_effect():
    """A declared option that nothing reads would be a promise that is not kept."""
    suffixes = (".py", ".js")
    sources = [
        path for path in MODULES.rglob("*") if path.suffix in suffixes and "settings" not in path.parts
    ]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    assert [info.key for info in describe_options() if info.key not in text] == []


def test_every_flag_that_claims_an_effect_is_read():
    """Flags that nothing reads belong to `later_flags` or `unused_flags`, which say so."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in FILES if "flags" not in path.parts)
    claimed = [name for name, info in described_flags().items() if info.group not in WITHOUT_EFFECT]
    read = set(re.findall(r"\bflags\.([a-z0-9_]+)", text)) | set(re.findall(r'"([a-z0-9_]+)"', text))
    for name, each in inspect.getmembers(Flags, lambda each: isinstance(each, property)):
        if name in read:
            read |= set(re.findall(r"\bself\.([a-z0-9_]+)", inspect.getsource(each.fget)))
    assert [name for name in claimed if name not in read | READ_BY_LAUNCH | ALWAYS_ON] == []
