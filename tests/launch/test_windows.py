"""Windows: what only Unix has is used behind a question for the system, and every module imports without it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import mypy
import pytest

ROOT = Path(__file__).resolve().parents[2]
STUBS = Path(mypy.__file__).parent / "typeshed" / "stdlib"
UNIX_MODULES = {
    "crypt", "curses", "fcntl", "grp", "nis", "ossaudiodev", "posix", "pty", "pwd", "readline", "resource", "spwd",
    "syslog", "termios", "tty",
}  # fmt: skip
PARTLY = {
    "os": "os/__init__.pyi",
    "signal": "signal.pyi",
    "time": "time.pyi",
    "select": "select.pyi",
    "socket": "socket.pyi",
}
GUARDS = ("sys.platform", "os.name", "hasattr(", "platform.system(")
SOURCES = [*sorted((ROOT / "modules").rglob("*.py")), ROOT / "launch.py", ROOT / "webui.py"]

IMPORT_ALL = """
import builtins, importlib, sys, types
from pathlib import Path
sys.path.insert(0, {root!r})
# What stands below is as it is: only our own modules are to believe that this is Windows.
import torch, gradio, diffusers, transformers, fastapi, uvicorn, scipy, cv2, psutil, asyncio, multiprocessing.connection
hidden, partly = {hidden!r}, {partly!r}
real = builtins.__import__

class Windows(types.ModuleType):
    def __init__(self, module, missing, **other):
        super().__init__(module.__name__)
        self.__dict__.update({{name: value for name, value in vars(module).items() if name not in missing}}, **other)

windows = {{name: Windows(importlib.import_module(name), missing) for name, missing in partly.items()}}
windows["os"].__dict__.update(name="nt", O_BINARY=0x8000)
windows["sys"] = Windows(sys, (), platform="win32", getwindowsversion=lambda: None)
windows["msvcrt"] = types.ModuleType("msvcrt")

def find(name, globals=None, locals=None, fromlist=(), level=0):
    if level == 0 and (globals or {{}}).get("__name__", "").startswith("modules"):
        if name in hidden:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        if name in windows:
            return windows[name]
    return real(name, globals, locals, fromlist, level)

builtins.__import__ = find
for path in sorted(Path({root!r}, "modules").rglob("*.py")):
    parts = path.relative_to({root!r}).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name in {optional!r}:
            continue
        raise
    print(name)
"""


def names_on(platform: str, stub: Path) -> set[str]:
    """What the module of a type stub has on `platform`."""
    world = {"sys": SimpleNamespace(platform=platform, version_info=sys.version_info)}

    def walk(nodes: list[ast.stmt]) -> Iterator[str]:
        for node in nodes:
            if isinstance(node, ast.If):
                holds = eval(compile(ast.Expression(node.test), str(stub), "eval"), world)
                yield from walk(node.body if holds else node.orelse)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield node.name
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                yield node.target.id
            elif isinstance(node, ast.Assign):
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))
            elif isinstance(node, ast.ImportFrom):
                yield from (each.asname or each.name for each in node.names)

    return set(walk(ast.parse(stub.read_text()).body))


@pytest.fixture(scope="module")
def only_unix() -> dict[str, set[str]]:
    found = {
        module: names_on("linux", STUBS / stub) - names_on("win32", STUBS / stub)
        for module, stub in PARTLY.items()
    }
    assert {"pread", "fork", "getuid", "sched_getaffinity", "mkfifo", "uname"} <= found["os"]
    assert {"SIGKILL", "SIGHUP", "alarm"} <= found["signal"]
    assert "kill" not in found["os"]
    return found


def _caught(node: ast.Try) -> list[ast.expr]:
    return [handler.type for handler in node.handlers if handler.type]


def unguarded(source: str, only_unix: dict[str, set[str]]) -> list[str]:
    """Uses of what Windows lacks that stand behind no question for it."""
    tree = ast.parse(source)
    guards = list(GUARDS)
    for node in tree.body:
        if isinstance(node, ast.Assign) and "hasattr(" in ast.unparse(node.value):
            guards += [ast.unparse(target) for target in node.targets]
    found = []

    def visit(node: ast.AST, is_guarded: bool) -> None:
        test = getattr(node, "test", None) or (node if isinstance(node, ast.BoolOp) else None)
        is_guarded = is_guarded or (test is not None and any(guard in ast.unparse(test) for guard in guards))
        used = []
        if isinstance(node, ast.Import):
            used = [each.name for each in node.names if each.name.partition(".")[0] in UNIX_MODULES]
        elif isinstance(node, ast.ImportFrom):
            used = [each.name for each in node.names if each.name in only_unix.get(node.module or "", ())]
            used += [node.module] * (node.module in UNIX_MODULES)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used = [node.attr] * (node.attr in only_unix.get(node.value.id, ()))
        if used and not is_guarded:
            found.append(f"{used[0]} in line {node.lineno}")
        may_be_missing = isinstance(node, ast.Try) and "ImportError" in map(ast.unparse, _caught(node))
        for child in ast.iter_child_nodes(node):
            visit(child, is_guarded or (may_be_missing and child in node.body))

    visit(tree, False)
    return found


@pytest.mark.parametrize(
    ("source", "is_found"),
    [
        ("import resource", True),
        ("from os import fork", True),
        ("import os\nos.pread(1, 2, 3)", True),
        ("import sys\nif sys.platform != 'win32':\n    import fcntl", False),
        ("import os\nHAS = hasattr(os, 'pread')\nif HAS:\n    os.pread(1, 2, 3)", False),
        ("import os\nn = os.sched_getaffinity(0) if hasattr(os, 'sched_getaffinity') else 1", False),
        ("import os\nos.open('x', os.O_RDONLY)", False),
        ("try:\n    import resource\nexcept ImportError:\n    resource = None", False),
        ("try:\n    import resource\nexcept OSError:\n    pass", True),
    ],
)
def test_the_search_finds_what_it_is_for(only_unix, source, is_found):
    assert bool(unguarded(source, only_unix)) is is_found


def test_what_only_unix_has_is_asked_for_before_it_is_used(only_unix):
    found = {
        str(path.relative_to(ROOT)): unguarded(path.read_text(encoding="utf-8"), only_unix)
        for path in SOURCES
    }
    assert {name: uses for name, uses in found.items() if uses} == {}


def test_every_module_imports_where_nothing_of_unix_is(only_unix):
    code = IMPORT_ALL.format(
        root=str(ROOT), hidden=UNIX_MODULES, partly=only_unix, optional={"ray", "xformers"}
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert {"modules.server", "modules.cli.program", "modules.jobs.lock"} <= set(done.stdout.split())
