"""Calls of every route and every event of the page with whatever a generator thinks of, as long as wished.

    venv/bin/python benchmarks/any_call.py --minutes 60

The calls are drawn from the OpenAPI document, with hostile values in place of some fields; the page's own
routes and events get the same. Prints how many calls were answered with what, the longest ping beside them,
and every call that met a failure. Exit status 1: there was one.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

PROGRAM = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROGRAM))

from benchmarks.soak import server

NUMBERS = (float("nan"), float("inf"), 10**30, -1, 0, 1e-320, 2**31, 2**63)
TEXTS = ("", "\x00", "\ud800", "x" * 5000, "(" * 500, "<lora:x:1>", "a\nSteps: x", "../x", "é\u202e")
DEEP = json.loads("[" * 200 + "]" * 200)
OTHERS = (None, True, [], [None], {}, {"a": {"b": 1}}, [[{}]], DEEP)
ODD: tuple[Any, ...] = (*NUMBERS, *TEXTS, *OTHERS)
ENDLESS = ("/events", "/queue/data", "/heartbeat")
ENDS = ("/server-stop", "/server-restart", "/server-kill")
LOCAL = {
    "/internal/web/submit": {
        "tab": "txt2img",
        "task": "a",
        "values": {"prompt": "", "steps": 0, "styles": []},
    },
    "/internal/web/batches": {"tab": "img2img", "values": {}, "batch": {"input_folder": "x"}},
    "/internal/web/extras": {"picture": "x", "name": "", "of": 1},
    "/internal/web/cancel": [""],
    "/internal/progress": {"id_task": "", "id_live_preview": 1},
}
FIELDS = {
    "init_images", "mask", "drawing", "mode", "script_name", "script_args", "override_settings", "styles",
    "sampler_name", "scheduler", "width", "height", "batch_size", "n_iter", "refiner_checkpoint",
    "hr_checkpoint_name",
}  # fmt: skip
JSON = {"content-type": "application/json"}
CHEAP = {"steps": 1, "width": 64, "height": 64}


def schema_of(document: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """The properties that a body has by the document."""
    schema = body["content"].get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].split("/")[-1]]
    return schema.get("properties", {})


def drawn(random_one: random.Random, properties: dict[str, Any]) -> Any:
    """A body: some fields, some of them as the document has them, the others hostile."""
    if random_one.random() < 0.05:
        return random_one.choice(ODD)
    chosen = random_one.sample(sorted(properties), min(len(properties), random_one.randint(0, 6)))
    body = {}
    for name in chosen:
        examples = properties[name].get("examples")
        body[name] = (
            random_one.choice(examples) if examples and random_one.random() < 0.5 else random_one.choice(ODD)
        )
    for name, value in CHEAP.items():
        if name in properties and random_one.random() < 0.9:
            body[name] = value
    if "dry_run" in properties:
        body["dry_run"] = True
    return body


def calls(document: dict[str, Any], config: dict[str, Any], random_one: random.Random) -> Any:
    """Method, path, query and body of one call after the other, for ever."""
    operations = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if not path.endswith(ENDLESS) and not path.endswith(ENDS)
    ]
    events = [each for each in config["dependencies"] if each["backend_fn"]]
    while True:
        kind = random_one.random()
        if kind < 0.6:
            method, path, operation = random_one.choice(operations)
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path":
                    value = random_one.choice(("x", "0", "%00", "%ED%A0%80", "..%2f..", "task(known)"))
                    path = path.replace("{" + parameter["name"] + "}", value)
            names = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
            query = {name: str(random_one.choice(ODD)).encode("utf-8", "replace")[:300] for name in names}
            body = operation.get("requestBody")
            yield method, path, query, drawn(random_one, schema_of(document, body)) if body else None
        elif kind < 0.8:
            path, form = random_one.choice(sorted(LOCAL.items()))
            value = json.loads(json.dumps(form))
            place = (
                value.get("values", value) if isinstance(value, dict) and random_one.random() < 0.6 else value
            )
            if isinstance(place, dict):
                place[random_one.choice(sorted(FIELDS | set(place)))] = random_one.choice(ODD)
                if path.endswith("submit"):
                    value["tab"] = random_one.choice(("txt2img", "img2img", "nope"))
            else:
                value = [random_one.choice(ODD)]
            yield "post", path, {}, value
        else:
            event = random_one.choice(events)
            data = [random_one.choice(ODD) for _ in event["inputs"]]
            call: dict[str, Any] = {
                "fn_index": event["id"],
                "session_hash": f"s{random_one.randint(0, 50)}",
                "data": data,
            }
            if random_one.random() < 0.3:
                call[random_one.choice(("fn_index", "session_hash", "data", "event_data"))] = (
                    random_one.choice(ODD)
                )
            route = random_one.choice(("queue/join", "run/predict", "cancel", "reset"))
            yield "post", f"/gradio_api/{route}", {}, call


def watch(address: str, ended: threading.Event, longest: list[Any], now: list[str]) -> None:
    """Ping the server until `ended`, and keep the longest that one took, with the call that went on then."""
    with httpx.Client(base_url=address, timeout=60) as client:
        while not ended.wait(0.1):
            began, beside = time.monotonic(), now[0]
            with suppress(httpx.TransportError):
                client.get("/internal/ping")
            longest[:] = max(longest, [time.monotonic() - began, beside])


def main() -> int:
    """Run it and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    answered: Counter[int] = Counter()
    failures: dict[str, str] = {}
    ended, longest, now = threading.Event(), [0.0, ""], [""]
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as (port, process):
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=address, timeout=120) as client:
            document, config = client.get("/openapi.json").json(), client.get("/config").json()
            threading.Thread(target=watch, args=(address, ended, longest, now), daemon=True).start()
            until = time.monotonic() + 60 * wanted.minutes
            for method, path, query, body in calls(document, config, random.Random(wanted.seed)):
                if time.monotonic() > until:
                    break
                content = None if body is None else json.dumps(body).encode()
                now[0] = f"{method} {path} {query} {ascii(content)[:300]}"
                try:
                    answer = client.request(method.upper(), path, params=query, content=content, headers=JSON)
                except httpx.TransportError as error:
                    failures.setdefault(f"{method} {path} {error!r}", ascii(content)[:300])
                    continue
                answered[answer.status_code] += 1
                if answer.status_code >= 500:
                    key = f"{method} {path} {answer.text[:120]}"
                    failures.setdefault(key, ascii(content)[:300])
            ended.set()
            memory = process.memory_info().rss >> 20
    found = {"calls": answered.total(), "by status": dict(sorted(answered.items()))}
    print(json.dumps({**found, "longest ping": longest, "MB at the end": memory}, indent=2))
    for key, content in failures.items():
        print(key, content, sep="\n    ")
    return int(bool(failures))


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(main())
