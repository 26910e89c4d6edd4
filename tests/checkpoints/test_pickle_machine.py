"""Any sequence of instructions is run or refused: at once, in little memory, and to something harmless."""

import copy
import io
import pickletools
import struct
import time
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.checkpoints.pickle_machine import DEEPEST
from modules.checkpoints.pickles import run_pickle
from modules.errors import EaselError

NAMES = [
    b"ccollections\nOrderedDict\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"ctorch\nSize\n",
    b"ctorch\nFloatStorage\n",
    b"ctorch.nn.modules.container\nParameterDict\n",
    b"cargparse\nNamespace\n",
    b"cposix\nsystem\n",
]
SMALL = st.integers(0, 12).map(lambda number: bytes([number]))
PLAIN = [opcode.code.encode("latin-1") for opcode in pickletools.opcodes if opcode.arg is None]
STEP = st.one_of(
    st.sampled_from([code for code in PLAIN if code != b"."]),
    st.sampled_from(NAMES),
    st.tuples(st.sampled_from([b"K", b"h", b"q"]), SMALL).map(b"".join),
    st.binary(max_size=6).map(lambda text: b"U" + bytes([len(text)]) + text),
    st.text(max_size=6).map(lambda text: b"X" + struct.pack("<I", len(text.encode())) + text.encode()),
    st.binary(max_size=4),
)
BLOCK = st.tuples(st.lists(STEP, max_size=12).map(b"".join), st.sampled_from([1, 1, 1, 7, 300, 20_000]))
MOST_SECONDS = 1.0


def run(data: bytes) -> object:
    return run_pickle(Path("evil.ckpt"), io.BytesIO(data))[0]


@settings(max_examples=120)
@given(blocks=st.lists(BLOCK, max_size=8))
def test_no_sequence_of_instructions_takes_long_or_makes_what_cannot_be_walked(blocks) -> None:
    data = b"\x80\x04" + b"".join(steps * times for steps, times in blocks) + b"."
    started = time.process_time()
    try:
        result = run(data)
    except EaselError as error:
        assert "evil.ckpt" in str(error)
    else:
        repr(result)
        copy.deepcopy(result)
    assert time.process_time() - started < MOST_SECONDS


@pytest.mark.parametrize("levels", [DEEPEST, DEEPEST + 1])
def test_values_may_be_nested_as_deep_as_the_bound_and_no_deeper(levels: int) -> None:
    data = b"\x80\x04" + b"]" * (levels + 1) + b"a" * levels + b"."
    if levels > DEEPEST:
        with pytest.raises(EaselError, match="deeper than 50 levels"):
            run(data)
    else:
        assert repr(run(data)) == "[" * (levels + 1) + "]" * (levels + 1)


def test_texts_numbers_and_small_tuples_are_keys() -> None:
    data = b"\x80\x04}(\x8c\x01aK\x01K\x02K\x03NK\x04K\x05\x8c\x01b\x86K\x06G\x3f\xf8\0\0\0\0\0\0K\x07u."
    assert run(data) == {"a": 1, 2: 3, None: 4, (5, "b"): 6, 1.5: 7}


def test_a_key_of_more_than_some_values_is_refused() -> None:
    assert run(b"\x80\x04}(" + b"K\x01" * 16 + b"tK\x01s.") == {(1,) * 16: 1}
    with pytest.raises(EaselError, match="no text and no number"):
        run(b"\x80\x04}(" + b"K\x01" * 17 + b"tK\x01s.")


def test_what_old_and_new_torch_write_beside_tensors_is_read() -> None:
    torch_version = b"\x80\x02}(X\x01\0\0\0aI01\nX\x01\0\0\0bI5\nX\x01\0\0\0cF0.5\nX\x01\0\0\0dL7L\nX\x01\0\0\0eS'x'\nX\x01\0\0\0fVy\nu."
    assert run(torch_version) == {"a": True, "b": 5, "c": 0.5, "d": 7, "e": "x", "f": "y"}
    pairs = b"\x80\x02ccollections\nOrderedDict\n](](X\x01\0\0\0aK\x01e](X\x01\0\0\0bK\x02ee\x85R."
    assert run(pairs) == {"a": 1, "b": 2}
    assert run(b"\x80\x02ctorch\nFloatStorage\n.") is torch.float32
