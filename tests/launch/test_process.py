"""Streams that are closed and a folder that is gone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import os, sys
from pathlib import Path
from modules.launching import mend_process
mend_process(Path({root!r}))
with open({file!r}, "w") as file:
    file.write(f"{{file.fileno() > 2}} {{Path.cwd() == Path({root!r})}}")
    print("caf\\xe9 \\udcff")
    sys.stderr.write("caf\\xe9")
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="closes streams as a Unix shell does")


@pytest.mark.parametrize("closed", ["0<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_takes_no_file_and_stops_nothing(tmp_path, closed):
    code = CODE.format(root=str(ROOT), file=str(tmp_path / "file"))
    words = ["sh", "-c", f'"$@" {closed}', "x", sys.executable, "-S", "-c", code]
    done = subprocess.run(words, cwd=ROOT, env={"PYTHONIOENCODING": "ascii"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "file").read_text() == "True True"
    assert done.stdout == ("" if ">&-" in closed.replace("2>&-", "") else "caf\\xe9 \\udcff\n")


def test_a_working_folder_that_is_gone_is_said(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    code = f"import os; os.rmdir({str(gone)!r}); import sys; sys.path.insert(0, {str(ROOT)!r})"
    code += CODE.format(root=str(ROOT), file=str(tmp_path / "file"))
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=gone, capture_output=True, text=True)
    assert done.stderr.startswith("The folder that this was called from is gone: relative paths start at ")
    assert (tmp_path / "file").read_text() == "True True"
