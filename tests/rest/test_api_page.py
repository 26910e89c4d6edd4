"""docs/api.md: its commands run, and its table names every route."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
BEGIN, END = "<!-- routes -->\n", "<!-- /routes -->"
ADDRESS = "EASEL=http://127.0.0.1:7860\n"


def routes_table(document):
    """The table as it should stand in the page."""
    lines = ["| route | what it does |", "| --- | --- |"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            sentence = re.split(r"(?<=[.:])\s", " ".join(operation["description"].split()))[0].rstrip(".:")
            lines.append(f"| `{method.upper()} {path}` | {sentence}. |")
    return "\n".join(lines) + "\n"


def test_the_page_names_every_route(client):
    written = PAGE.read_text().split(BEGIN)[1].split(END)[0]
    expected = routes_table(client.get("/openapi.json").json())
    assert written == expected, f"put this between the two comments of {PAGE.name}:\n{expected}"


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="needs curl and jq")
def test_the_commands_of_the_page_run(own_address, tmp_path):
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert ADDRESS in blocks
    script = "set -euo pipefail\n" + "".join(blocks).replace(ADDRESS, "")
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "EASEL": own_address},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "a lighthouse at dusk\nSteps: 8" in done.stdout
    assert "event: picture" in done.stdout and '"state":"done"' in done.stdout
    assert "width cannot be 13" in done.stdout
    sizes = {path.name: Image.open(path).size for path in tmp_path.iterdir() if path.suffix != ".json"}
    assert sizes == {
        "lighthouse.png": (256, 256),
        "first.png": (256, 256),
        "same.png": (256, 256),
        "small.webp": (128, 128),
    }
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "same.png").read_bytes()
