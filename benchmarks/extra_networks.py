"""How long a folder of many LoRAs takes until its cards are listed, and until the first is in the browser.

    venv/bin/python benchmarks/extra_networks.py [--files 1000 5000] [--no-browser]

The files have the header of a usual LoRA (792 tensors, tags of 200 words) without numbers that matter, in 60
nested folders; every second has a JSON file beside it, every tenth a preview. "First" is a program that never
saw the folder, "after a restart" one that finds its index on the disk, "again" the same program once more.
The disk's own cache is warm, since the files were just written.
"""

import argparse
import contextlib
import json
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from modules.adapters import AdapterShelves
from modules.checkpoints import CheckpointShelf, HashCache
from modules.extra_networks import Catalogue, ModelVersion, NetworkKind, ShownRules, Wish, list_cards
from modules.flags import parse_flags
from modules.folders import Folders

TENSORS = 792
PORT = 7899
CHROMIUM = "/usr/bin/chromium"


def write_files(root: Path, count: int) -> None:
    """`count` files below `root`."""
    table = {
        f"lora_unet_blocks_{n}_attn2_to_k.lora_down.weight": {
            "dtype": "F16",
            "shape": [1, 1],
            "data_offsets": [2 * n, 2 * n + 2],
        }
        for n in range(TENSORS)
    }
    tags = json.dumps({"10_x": {f"tag {n}": n for n in range(200)}})
    for number in range(count):
        metadata = {
            "ss_output_name": f"net {number}",
            "ss_base_model_version": "sd_v1",
            "ss_tag_frequency": tags,
        }
        header = json.dumps({"__metadata__": metadata, **table}).encode()
        path = root / f"folder{number % 20}" / f"sub{number % 3}" / f"net{number:05}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(2 * TENSORS))
        if number % 2:
            text = {"description": f"number {number}", "activation text": f"word{number}"}
            path.with_suffix(".json").write_text(json.dumps(text))
        if number % 10 == 0:
            Image.new("RGB", (512, 768), (number % 256, 90, 140)).save(path.with_suffix(".png"))


def make_catalogue(folders: Folders) -> Catalogue:
    """As a program makes it when it starts."""
    hashes = HashCache(folders.cache / "hashes.json")
    return Catalogue(CheckpointShelf(folders, hashes), AdapterShelves(folders, hashes), folders)


def seconds_to_list(catalogue: Catalogue) -> tuple[float, int]:
    """Seconds until the first page of cards is there, and how many files were still to be read then."""
    begun = time.perf_counter()
    look = catalogue.look(NetworkKind.LORA)
    list_cards(look, Wish(), ShownRules(), ModelVersion.SD1)
    return time.perf_counter() - begun, look.unread


def wait_for_all(catalogue: Catalogue) -> None:
    """Until every file was read and the index is on the disk."""
    while catalogue.look(NetworkKind.LORA).unread:
        time.sleep(0.05)
    time.sleep(1)


@contextlib.contextmanager
def served(data: Path):
    """The program over `data`; gives its address."""
    command = [sys.executable, str(ROOT / "webui.py"), "--data-dir", str(data), "--port", str(PORT)]
    program = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{PORT}"
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/internal/ping", timeout=2)
                break
            time.sleep(0.2)
        yield address
    finally:
        program.terminate()
        program.wait(60)


def seconds_in_browser(address: str) -> tuple[float, float]:
    """Seconds from the click on the tab until a card is in the page: the first time, and loaded anew."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.set_default_timeout(120_000)
        seconds = []
        for _ in range(2):
            page.goto(address)
            page.wait_for_function(
                "typeof formIsRecalled !== 'undefined' && formIsRecalled && 'jpeg_quality' in opts"
            )
            begun = time.perf_counter()
            page.click("#txt2img_lora_page-button")
            page.wait_for_selector("#txt2img_lora_cards .card")
            seconds.append(time.perf_counter() - begun)
        browser.close()
    return seconds[0], seconds[1]


def measure(count: int, with_browser: bool) -> None:
    """Print a row for `count` files."""
    with tempfile.TemporaryDirectory() as place:
        folders = Folders.from_flags(parse_flags(["--data-dir", place], environment={}))
        folders.ensure()
        write_files(folders.loras[0], count)
        catalogue = make_catalogue(folders)
        first, unread = seconds_to_list(catalogue)
        wait_for_all(catalogue)
        again, _ = seconds_to_list(catalogue)
        restarted, _ = seconds_to_list(make_catalogue(folders))
        row = [f"{first:.2f} s ({unread} unread)", f"{restarted:.2f} s", f"{again * 1000:.1f} ms"]
        if with_browser:
            (folders.cache / "networks.json").unlink()
            with served(folders.data) as address:
                row += [f"{seconds:.2f} s" for seconds in seconds_in_browser(address)]
    print(f"| {count} | {' | '.join(row)} |")


def main() -> None:
    """Measure for each number of files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, nargs="+", default=[1000, 5000])
    parser.add_argument("--no-browser", action="store_true")
    arguments = parser.parse_args()
    heads = ["files", "first", "after a restart", "again"]
    heads += [] if arguments.no_browser else ["first card in Chromium", "and in a page loaded anew"]
    print(f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    for count in arguments.files:
        measure(count, not arguments.no_browser)


if __name__ == "__main__":
    main()
