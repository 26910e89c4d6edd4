"""Which device and which number types the flags lead to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
import torch

from modules.errors import InvalidRequest
from modules.memory import DevicePolicy, choose_policy


@dataclass(frozen=True)
class Flags:
    """The flags that count here, at their defaults."""

    no_half: bool = False
    no_half_vae: bool = False
    precision: str = "autocast"
    upcast_sampling: bool = False
    use_cpu: Sequence[str] = ()
    use_ipex: bool = False
    device_id: str | None = None
    disable_nan_check: bool = False
    opt_channelslast: bool = False


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """A machine with a device of some kind, as torch would tell it."""

    def with_device(kind: str, count: int = 1) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: kind == "cuda")
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.xpu, "is_available", lambda: kind == "xpu")
        monkeypatch.setattr(torch.xpu, "device_count", lambda: count)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: kind == "mps")

    return with_device


F16, BF16, F32 = torch.float16, torch.bfloat16, torch.float32


@pytest.mark.parametrize(
    ("kind", "flags", "device", "dtype", "vae_dtype", "autocast", "upcast"),
    [
        ("cpu", Flags(), "cpu", F32, F32, False, False),
        ("cpu", Flags(precision="half"), "cpu", BF16, BF16, False, False),
        ("cpu", Flags(precision="half", no_half_vae=True), "cpu", BF16, F32, False, False),
        ("cpu", Flags(precision="half", no_half=True), "cpu", F32, F32, False, False),
        ("cuda", Flags(), "cuda", F16, F16, True, False),
        ("cuda", Flags(precision="half"), "cuda", F16, F16, False, False),
        ("cuda", Flags(precision="full"), "cuda", F32, F32, False, False),
        ("cuda", Flags(no_half=True), "cuda", F32, F32, False, False),
        ("cuda", Flags(no_half_vae=True), "cuda", F16, F32, True, False),
        ("cuda", Flags(upcast_sampling=True), "cuda", F16, F16, True, True),
        ("cuda", Flags(device_id="1"), "cuda:1", F16, F16, True, False),
        ("cuda", Flags(use_cpu=["all"]), "cpu", F32, F32, False, False),
        ("cuda", Flags(use_cpu=["SD"]), "cpu", F32, F32, False, False),
        ("cuda", Flags(use_cpu=["interrogate"]), "cuda", F16, F16, True, False),
        ("mps", Flags(), "mps", F16, F32, False, True),
        ("mps", Flags(no_half=True), "mps", F32, F32, False, False),
        ("xpu", Flags(use_ipex=True), "xpu", F16, F16, False, False),
        ("xpu", Flags(), "xpu", F16, F16, False, False),
    ],
)
def test_device_and_types_follow_from_the_machine_and_the_flags(
    kind: str,
    flags: Flags,
    device: str,
    dtype: torch.dtype,
    vae_dtype: torch.dtype,
    autocast: bool,
    upcast: bool,
    machine,
) -> None:
    machine(kind, count=2)
    expected = DevicePolicy(torch.device(device), dtype, vae_dtype, autocast, upcast)
    assert replace(choose_policy(flags), keeps_file_types=False) == expected


@pytest.mark.parametrize(
    ("kind", "flags", "keeps"),
    [
        ("cpu", Flags(), True),
        ("cpu", Flags(no_half=True), False),
        ("cpu", Flags(precision="full"), False),
        ("cpu", Flags(precision="half"), False),
        ("cuda", Flags(use_cpu=["all"]), True),
        ("cuda", Flags(), False),
        ("mps", Flags(), False),
    ],
)
def test_a_processor_keeps_the_types_of_the_file_unless_flags_want_full_precision(
    kind, flags, keeps, machine
):
    machine(kind)
    assert choose_policy(flags).keeps_file_types is keeps


def test_a_narrow_vae_may_be_bfloat16_and_a_wide_one_stays_wide(machine) -> None:
    machine("cuda")
    assert choose_policy(Flags(), vae_bfloat16=True).vae_dtype == BF16
    assert choose_policy(Flags(no_half_vae=True), vae_bfloat16=True).vae_dtype == F32


@pytest.mark.parametrize(
    ("flags", "field"),
    [
        (Flags(precision="double"), "precision"),
        (Flags(device_id="2"), "device_id"),
        (Flags(device_id="-1"), "device_id"),
        (Flags(device_id="first"), "device_id"),
        (Flags(use_ipex=True), "use_ipex"),
    ],
)
def test_what_is_not_there_is_refused_naming_the_flag(flags: Flags, field: str, machine) -> None:
    machine("cuda", count=2)
    with pytest.raises(InvalidRequest) as refusal:
        choose_policy(flags)
    assert refusal.value.field == field


def test_the_precision_scope_casts_only_where_the_policy_says_so() -> None:
    plain = DevicePolicy(torch.device("cpu"), BF16, F32)
    left, right = torch.ones(2, 2), torch.ones(2, 2)
    with plain.precision_scope():
        assert (left @ right).dtype == F32
    with replace(plain, autocast=True).precision_scope():
        assert (left @ right).dtype == BF16
    assert (left @ right).dtype == F32
