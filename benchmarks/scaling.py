"""What a second worker brings, and what a picture costs the process that all of them hand their pictures to.

    venv/bin/python benchmarks/scaling.py [--rounds 3] [--pictures 12] [--ray] [--skip-workers]

First table: the same job by one worker with all cores, and by two processes (with --ray: two actors of a
local cluster) that divide them, in turn (A B A B ...), so that a machine whose speed drifts treats both
alike; the ratio is the median of the pairs' ratios.

Second table: the head's work for a picture at several sizes, in milliseconds of one core. The picture is
smooth colours with a little grain, which a PNG file cannot make small, as with photographs.
"""

import argparse
import multiprocessing
import pickle
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PIL import Image

from modules.flags import Flags, parse_flags
from modules.folders import Folders
from modules.generation import (
    Assembly,
    Drawn,
    Engine,
    ModelFacts,
    Order,
    Role,
    SilentWatcher,
    parse_txt2img,
    plan_run,
)
from modules.jobs import JobQueue, JobState, Worker
from modules.jobs.workers import LocalWorker, make_workers
from modules.jobs.workers.messages import Handed
from modules.memory import physical_cores
from modules.prompts import StyleBook
from modules.settings import Options

SIDES = (512, 768, 1024)
START_SECONDS = 300
DRAWN_STEPS = 20


@dataclass(frozen=True)
class HeadCost:
    """Of one picture of `side` x `side` pixels: bytes on the way and in the file, milliseconds of a core."""

    side: int
    message_bytes: int
    receive_ms: float
    file_bytes: int
    save_ms: float

    @property
    def pictures_a_second(self) -> float:
        """How many a core can take."""
        return 1000 / (self.receive_ms + self.save_ms)


def order_for(engine: Engine, **values: object) -> Order:
    """An order of the embedded model."""
    request = {"prompt": "a cat face", "seed": 1, "subseed": 1, "steps": DRAWN_STEPS, "sampler_name": "Euler"}
    options = Options().overridden({"sd_model_checkpoint": "easel-emoji"})
    return engine.order(
        parse_txt2img({**request, "width": 128, "height": 128, **values}), options, StyleBook(())
    )


@contextmanager
def queue_of(data: str, workers: list[Worker]) -> Iterator[JobQueue]:
    """A queue on a data folder of its own, whose workers are up."""
    folders = Folders.from_flags(Flags(data_dir=Path(data)))
    folders.ensure()
    queue = JobQueue(folders, lambda: workers)
    end = time.monotonic() + START_SECONDS
    while not all(worker.ready(1.0) for worker in workers):
        if time.monotonic() > end:
            raise SystemExit("A worker did not start.")
    yield queue
    queue.close()


def seconds_of(queue: JobQueue, order: Order) -> float:
    """Seconds from handing `order` in until it is done."""
    started = time.perf_counter()
    job = queue.submit(order)
    queue.wait(job)
    if job.state is not JobState.DONE:
        raise SystemExit(f"The job is {job.state}: {job.error}")
    return time.perf_counter() - started


def compare(engine: Engine, workers: list[Worker], pictures: int, rounds: int) -> tuple[float, float, float]:
    """Pictures a second of one worker and of `workers`, and the median ratio of the pairs."""
    alone = order_for(engine, n_iter=pictures).model_copy(update={"threads": physical_cores()})
    shared = alone.model_copy(update={"threads": max(1, physical_cores() // len(workers))})
    with (
        tempfile.TemporaryDirectory() as one,
        tempfile.TemporaryDirectory() as several,
        queue_of(one, [LocalWorker(engine)]) as first,
        queue_of(several, workers) as second,
    ):
        seconds_of(first, alone)
        seconds_of(second, shared)
        pairs = [(seconds_of(first, alone), seconds_of(second, shared)) for _ in range(rounds)]
    a, b = (pictures / statistics.median(times) for times in zip(*pairs, strict=True))
    return a, b, statistics.median(x / y for x, y in pairs)


def picture_like_a_photograph(side: int, seed: int) -> Image.Image:
    """Smooth colours with grain."""
    dice = np.random.default_rng(seed)
    coarse = Image.fromarray(dice.integers(0, 256, (side // 64, side // 64, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), dtype=np.float32)
    return Image.fromarray((smooth + dice.normal(0, 3, smooth.shape)).clip(0, 255).astype(np.uint8))


def pictures_for(engine: Engine, facts: ModelFacts, side: int, count: int) -> tuple[Assembly, list[Drawn]]:
    """An assembly and the pictures it waits for."""
    order = order_for(engine, width=side, height=side, n_iter=count).model_copy(update={"save": True})
    run = plan_run(order)
    text = f"a cat face\nSteps: {DRAWN_STEPS}, Sampler: Euler, Seed: 1, Size: {side}x{side}"
    drawn = [
        Drawn(Role.PICTURE, index, picture_like_a_photograph(side, index), text, 1 + index, 1, facts)
        for index in range(count)
    ]
    return Assembly(run, engine.folders, SilentWatcher()), drawn


def receive_ms(drawn: Drawn, count: int = 20) -> tuple[int, float]:
    """Bytes of the message that brings `drawn`, and milliseconds to take it from a pipe; the sender's work is
    in it, since both ends are here.
    """
    here, there = multiprocessing.Pipe()
    messages = [Handed(1, replace(drawn, index=number)) for number in range(count)]
    sender = threading.Thread(target=lambda: [there.send(message) for message in messages])
    started = time.process_time()
    sender.start()
    for _ in messages:
        here.recv()
    sender.join()
    return len(pickle.dumps(messages[0])), 1000 * (time.process_time() - started) / count


def head_cost(engine: Engine, facts: ModelFacts, side: int, count: int) -> HeadCost:
    """The work for one picture, as the queue does it: taken from the pipe, recorded, written as PNG."""
    assembly, drawn = pictures_for(engine, facts, side, count)
    size, milliseconds = receive_ms(drawn[0])
    before = set(engine.folders.outputs.rglob("*.png"))
    started = time.process_time()
    for each in drawn:
        assembly.receive(each)
    save_ms = 1000 * (time.process_time() - started) / count
    files = [path.stat().st_size for path in set(engine.folders.outputs.rglob("*.png")) - before]
    return HeadCost(side, size, milliseconds, round(statistics.mean(files)), save_ms)


def facts_of_a_picture(engine: Engine) -> ModelFacts:
    """The facts of the embedded model, from a picture drawn with it."""
    return engine.draw(plan_run(order_for(engine, steps=1)), [0], SilentWatcher(), lambda drawn: None)


def print_ratios(engine: Engine, arguments: argparse.Namespace) -> None:
    """The first table."""
    cores = physical_cores()
    print(f"{arguments.pictures} pictures of 128x128, {DRAWN_STEPS} steps, {cores} cores\n")
    print("| workers | one worker, pictures/s | two workers, pictures/s | ratio |\n| --- | --- | --- | --- |")
    kinds = {"two processes": None, **({"two actors of Ray": "local"} if arguments.ray else {})}
    for name, address in kinds.items():
        workers = make_workers(replace(engine.flags, workers=2, ray=address), engine)
        one, two, ratio = compare(engine, workers, arguments.pictures, arguments.rounds)
        print(f"| {name} | {one:.2f} | {two:.2f} | {ratio:.2f} |")


def print_head_costs(engine: Engine, rounds: int) -> None:
    """The second table."""
    facts = facts_of_a_picture(engine)
    print("| size | message, MB | receive, ms | file, MB | save, ms | pictures/s a core |")
    print("| --- | --- | --- | --- | --- | --- |")
    for side in SIDES:
        cost = head_cost(engine, facts, side, 2 * rounds)
        print(
            f"| {side}x{side} | {cost.message_bytes / 1e6:.2f} | {cost.receive_ms:.1f} "
            f"| {cost.file_bytes / 1e6:.2f} | {cost.save_ms:.0f} | {cost.pictures_a_second:.1f} |"
        )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pictures", type=int, default=12)
    parser.add_argument("--ray", action="store_true", help="also two actors of a local Ray cluster")
    parser.add_argument("--skip-workers", action="store_true", help="the second table only")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        flags = parse_flags(["--data-dir", data], environment={})
        folders = Folders.from_flags(flags)
        folders.ensure()
        engine = Engine(folders, flags)
        if not arguments.skip_workers:
            print_ratios(engine, arguments)
            print()
        print_head_costs(engine, arguments.rounds)


if __name__ == "__main__":
    main()
