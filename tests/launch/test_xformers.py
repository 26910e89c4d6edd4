"""Whether xformers is installed for who asks for it."""

import subprocess
import sys

import pytest

from modules.launching import Card, Environment, LaunchError, Machine
from modules.launching import xformers as subject
from modules.launching.torch_build import PINS
from modules.launching.xformers import TorchFacts, add_xformers, choose_xformers, read_torch_facts

OURS = PINS[0].removeprefix("torch==")
WHEEL = ("pip", "install", "--no-deps", "--only-binary", ":all:")
INDEX = "https://download.pytorch.org/whl/"


def machine(system="Linux", *cards: Card, architecture="x86_64") -> Machine:
    return Machine(system, architecture, (3, 12), True, frozenset(cards))


@pytest.mark.parametrize(
    ("system", "facts", "words"),
    [
        ("Linux", TorchFacts(OURS, "13.0"), ("xformers==0.0.35", "--index-url", f"{INDEX}cu130")),
        (
            "Windows",
            TorchFacts(f"{OURS}+cu130", "13.0"),
            ("xformers==0.0.35", "--index-url", f"{INDEX}cu130"),
        ),
        ("Windows", TorchFacts("2.10.0+cu128", "12.8"), ("xformers==0.0.35",)),
        ("Linux", TorchFacts("2.9.1", "12.8"), ("xformers==0.0.33.post2",)),
        ("Linux", TorchFacts("2.8.0+cu126", "12.6"), ("xformers==0.0.32.post2",)),
    ],
)
def test_the_wheel_follows_from_the_torch_that_is_installed(system, facts, words):
    assert choose_xformers(machine(system, Card.NVIDIA), facts).words == (*WHEEL, *words)


FITTING = TorchFacts(OURS, "13.0")


@pytest.mark.parametrize(
    ("facts_of_machine", "facts", "lack"),
    [
        (machine("Linux"), FITTING, "there is none here"),
        (machine("Linux", Card.AMD, Card.INTEL), FITTING, "it is for NVIDIA cards"),
        (machine("Darwin", architecture="arm64"), FITTING, "it is for NVIDIA cards"),
        (machine("Linux", Card.NVIDIA, architecture="aarch64"), FITTING, "no wheel for Linux on aarch64"),
        (machine("Linux", Card.NVIDIA), TorchFacts(), "torch is not installed"),
        (machine("Windows", Card.NVIDIA), TorchFacts(f"{OURS}+cpu"), "does not compute on NVIDIA cards"),
        (machine("Linux", Card.NVIDIA), TorchFacts(f"{OURS}+rocm7.2"), "does not compute on NVIDIA cards"),
        (machine("Linux", Card.NVIDIA), TorchFacts("2.9.0", "12.8"), "there is no wheel for torch 2.9.0"),
        (
            machine("Linux", Card.NVIDIA),
            TorchFacts("2.15.0.dev20261101+cu130", "13.0"),
            "there is no wheel for torch 2.15.0.dev",
        ),
    ],
)
def test_where_none_fits_the_reason_is_said(facts_of_machine, facts, lack):
    build = choose_xformers(facts_of_machine, facts)
    assert build.words == ()
    assert lack in build.lack


@pytest.mark.parametrize(
    ("lines", "system", "facts"),
    [
        (["torch 2.14.1+cu130", "xformers 0.0.35"], "Windows", TorchFacts("2.14.1+cu130", "13.0", "0.0.35")),
        (
            ["torch 2.14.1", 'cuda-toolkit[cublas,cudart]==13.0.3; platform_system == "Linux"'],
            "Linux",
            TorchFacts("2.14.1", "13.0"),
        ),
        (
            ["torch 2.14.1", 'cuda-toolkit[cublas]==13.0.3; platform_system == "Linux"'],
            "Windows",
            TorchFacts("2.14.1"),
        ),
        (
            ["torch 2.8.0", 'nvidia-cuda-runtime-cu12==12.8.90; x == "y"'],
            "Linux",
            TorchFacts("2.8.0", "12.8"),
        ),
        (["torch 2.14.1+cpu", "cuda-toolkit==13.0.3"], "Linux", TorchFacts("2.14.1+cpu")),
        ([], "Linux", TorchFacts()),
    ],
)
def test_the_facts_are_read_from_what_is_installed(lines, system, facts):
    assert read_torch_facts(lines, system) == facts


class Start:
    """Starts over an environment where pip is only watched."""

    def __init__(self, folder, monkeypatch) -> None:
        self.environment, self.said, self.pips, self.fails = Environment(folder), [], [], False
        self.facts, self.cards = FITTING, (Card.NVIDIA,)
        monkeypatch.setattr(subject, "run_pip", self.pip)
        monkeypatch.setattr(subject, "_ask", lambda environment, system: self.facts)

    def pip(self, environment, words, what) -> None:
        self.pips.append(words)
        if self.fails:
            raise LaunchError(f"{what} could not be installed: the network did not answer. Check it.")

    def __call__(self, again: bool = False) -> None:
        add_xformers(self.environment, lambda: machine("Linux", *self.cards), self.said.append, again=again)


@pytest.fixture
def start(tmp_path, monkeypatch):
    return Start(tmp_path, monkeypatch)


def test_it_is_installed_once(start):
    start()
    start()
    assert len(start.pips) == 1
    assert start.said == ["Installing xformers."]
    start(again=True)
    assert start.pips[1] == (*start.pips[0], "--force-reinstall")


def test_without_a_card_nothing_is_installed_and_one_line_says_so(start):
    start.cards = ()
    start()
    start(again=True)
    assert start.pips == []
    assert (
        start.said
        == [
            "xformers is not installed: it is for NVIDIA cards, and there is none here. Pictures are drawn with torch's own attention."
        ]
        * 2
    )


def test_a_failure_is_said_at_each_start_and_tried_again_when_asked_for(start):
    start.fails = True
    start()
    start()
    assert len(start.pips) == 1
    assert start.said[1] == start.said[2]
    assert "the network did not answer. Check it; --reinstall-xformers tries it again." in start.said[1]
    start.fails = False
    start(again=True)
    start()
    assert len(start.pips) == 2


def test_one_that_somebody_has_installed_stays(start):
    start.facts = TorchFacts(OURS, "13.0", "0.0.34")
    start()
    assert (start.pips, start.said) == ([], [])


def test_another_torch_asks_anew(start):
    start()
    start.environment.stamp(torch=(), xformers=(), xformers_lack="")
    start()
    assert len(start.pips) == 2


def test_the_question_is_one_that_a_python_answers(tmp_path):
    done = subprocess.run([sys.executable, "-c", subject.PROBE], capture_output=True, text=True)
    assert read_torch_facts(done.stdout.splitlines(), "Linux").torch.startswith(OURS)
