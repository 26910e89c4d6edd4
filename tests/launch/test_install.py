"""What is due, whether there is room, and why pip failed."""

import pytest

from modules.launching import LaunchError, Stamp, check_room, explain_pip_failure, plan_install
from modules.launching.install import BYTES_NEEDED, fingerprint
from modules.launching.torch_build import PINS
from modules.python_version import is_supported, spoken

PINNED = ("pip", "install", *PINS)


@pytest.fixture
def files(tmp_path):
    requirements, tests = tmp_path / "requirements.txt", tmp_path / "requirements-test.txt"
    requirements.write_text("a==1\n")
    tests.write_text("b==2\n")
    return requirements, tests


@pytest.fixture
def done(files):
    """The stamp of a whole installation."""
    return Stamp(PINNED, *map(fingerprint, files))


def test_a_bare_environment_needs_everything(files):
    plan = plan_install(Stamp(), *files, "")
    assert (plan.torch, plan.requirements, plan.tests) == (True, *files)


def test_a_finished_environment_needs_nothing(files, done):
    assert plan_install(done, *files, "").is_empty


def test_a_changed_list_is_due_alone(files, done):
    files[0].write_text("a==2\n")
    plan = plan_install(done, *files, "")
    assert (plan.torch, plan.requirements, plan.tests) == (False, files[0], None)


def test_line_ends_of_another_system_change_nothing(files, done):
    files[0].write_bytes(b"a==1\r\n")
    assert plan_install(done, *files, "").is_empty


def test_the_tests_packages_are_due_only_for_tests(files):
    assert plan_install(Stamp(PINNED, fingerprint(files[0])), files[0], None, "").is_empty


@pytest.mark.parametrize(
    ("stamped", "command", "due"),
    [
        (PINNED, "", False),
        ((*PINNED, "--index-url", "elsewhere"), "", False),
        (("pip", "install", "torch==1.13.1"), "", True),
        (PINNED, "pip install torch==2.9.1", True),
        (("pip", "install", "torch==2.9.1"), "pip install torch==2.9.1", False),
        ((), "pip install torch==2.9.1", True),
    ],
)
def test_torch_is_due_when_its_pins_or_the_users_command_changed(files, done, stamped, command, due):
    assert plan_install(Stamp(stamped, done.requirements, done.tests), *files, command).torch is due


def test_reinstalling_torch_leaves_the_rest(files, done):
    plan = plan_install(done, *files, "", reinstall_torch=True)
    assert (plan.torch, plan.requirements) == (True, None)


def test_reinstalling_does_everything_again(files, done):
    plan = plan_install(done, *files, "", reinstall=True)
    assert (plan.torch, plan.requirements, plan.tests) == (True, *files)


def test_a_missing_list_is_named(tmp_path):
    with pytest.raises(LaunchError, match=r"requirements\.txt cannot be read"):
        plan_install(Stamp(), tmp_path / "requirements.txt", None, "")


def test_too_little_room_is_said_before_anything_is_installed(tmp_path):
    with pytest.raises(LaunchError, match=r"5\.5 GB are needed .*, 1\.2 GB are free"):
        check_room(tmp_path / "not" / "yet" / "venv", lambda _: 1_200_000_000)


def test_room_enough_is_no_reason_to_stop(tmp_path):
    check_room(tmp_path / "venv", lambda place: BYTES_NEEDED if place == tmp_path else 0)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (
            [
                "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError'",
                "ERROR: Could not find a version that satisfies the requirement torch==2 (from versions: none)",
                "ERROR: No matching distribution found for torch==2",
            ],
            "the network did not answer",
        ),
        (["socket.gaierror: [Errno -3] Temporary failure in name resolution"], "the network did not answer"),
        (["ERROR: Could not install: [Errno 28] No space left on device"], "the disk is full"),
        (["error: externally-managed-environment"], "belongs to the system"),
        (["ERROR: Could not install: [Errno 13] Permission denied: '/x'"], "could not be written"),
        (["ERROR: THESE PACKAGES DO NOT MATCH THE HASHES"], "arrived damaged"),
        (
            ["ERROR: No matching distribution found for torch==2"],
            "No matching distribution found for torch==2",
        ),
        ([], "pip failed"),
    ],
)
def test_why_pip_failed_is_said_in_a_sentence(lines, reason):
    sentence = str(explain_pip_failure(lines, "torch"))
    assert sentence.startswith("torch could not be installed: ")
    assert reason in sentence


@pytest.mark.parametrize(
    ("version", "supported"),
    [
        ((3, 10), False),
        ((3, 11), True),
        ((3, 12), True),
        ((3, 13), True),
        ((3, 14), False),
        ((2, 7), False),
        ((4, 0), False),
    ],
)
def test_three_versions_of_python_are_supported(version, supported):
    assert is_supported(version) is supported


def test_the_versions_are_spoken_as_a_list():
    assert spoken() == "Python 3.11, 3.12 or 3.13"
