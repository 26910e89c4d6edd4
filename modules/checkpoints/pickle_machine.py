"""The machine that runs foreign pickles on plain values, within bounds of text, work and keys."""

from __future__ import annotations

import codecs
import pickle
import struct
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import torch

from modules.checkpoints.foreign import damaged
from modules.checkpoints.foreign_text import encodable
from modules.checkpoints.inert import Inert
from modules.checkpoints.pickle_values import (
    CONTAINERS,
    KNOWN_DICTS,
    ParameterDict,
    PlainDict,
    StandIn,
    StorageView,
    known_name,
    storage_of,
)
from modules.errors import EaselError, UnusableFile

__all__ = ["DEEPEST", "LEGACY_MAGIC", "PickleMachine"]

MOST_WORK = 300_000
"""Instructions, and values that they copy; a full-size checkpoint's pickle has a hundred thousand. So many
take less than half a second.
"""
MOST_TEXT = 16 << 20
"""Bytes of all texts together; those of a full-size checkpoint have two hundred thousand."""
DEEPEST = 50
"""Levels of lists, tuples and dictionaries; trainers' settings have about ten."""
LONGEST_KEY = 4096
"""Characters. Equal texts are compared as a whole."""
MOST_TUPLE_KEYS = 1000
"""Of a file. Their hashes follow from their numbers, so that many could be made to collide."""
LARGEST_TUPLE_KEY = 16
"""Values, on three levels."""
MOST_ARGUMENTS = 32
LONGEST_NAME = 512
LONGEST_NUMBER = 64
"""Bytes; as text and in binary."""
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""The one number beyond 64 bits that torch writes. Others could be chosen so that a dictionary of them takes
for ever."""

PLAIN_KEYS = (int, float, bool, type(None), Inert, torch.dtype, StorageView)

NUMBERS = {b"J": "<i", b"K": "<B", b"M": "<H", b"G": ">d"}
TEXTS = {b"X": "<I", b"\x8c": "<B", b"\x8d": "<Q"}
OLD_TEXTS = {b"T": "<I", b"U": "<B"}
BYTES = {b"B": "<I", b"C": "<B", b"\x8e": "<Q", b"\x96": "<Q"}
TUPLES = {b"\x85": 1, b"\x86": 2, b"\x87": 3}
PUTS = {b"q": "<B", b"r": "<I"}
GETS = {b"h": "<B", b"j": "<I"}
CONSTANTS = {b"N": None, b"\x88": True, b"\x89": False}
NEW = {b"}": dict, b"]": list, b")": tuple, b"\x8f": Inert}
"""Nobody reads sets, so they stand for nothing and need no hashes."""
STOP = b"."


class PickleMachine:
    """The stack, its marks and the memo of one pickle."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        """The stacks under the marks that are open."""
        self._memo: dict[int, Any] = {}
        self._copied = self._text = self._tuple_keys = 0
        self._levels: dict[int, tuple[int, Any]] = {}
        """Of the containers that have members, by their ids, with themselves: so no id is given twice."""
        self.storages: dict[str, torch.dtype] = {}

    def run(self) -> Any:
        """Do what the instructions say; the value on top at the end."""
        steps, read = self._steps(), self._file.read
        for _ in range(MOST_WORK):
            step = steps.get(code := read(1))
            if step is not None:
                step()
            elif code == STOP:
                return self._stack.pop()
            elif not code:
                raise EOFError
            else:
                raise self._refused(f"holds the instruction {code!r}, which torch never writes")
        raise self._refused("is longer than any model's")

    def _refused(self, what: str) -> EaselError:
        return damaged(self._path, f"its index {what}")

    def _steps(self) -> dict[bytes, Callable[[], object]]:
        """What each instruction does. Those that are not here are never written by torch."""
        push = self._push
        steps: dict[bytes, Callable[[], object]] = {
            b"\x80": lambda: self._exactly(1),
            b"\x95": self._frame,
            b"(": self._mark,
            b"0": self._pop,
            b"1": self._marked,
            b"2": lambda: push(self._stack[-1]),
            b"\x94": lambda: self._put(len(self._memo)),
            b"p": lambda: self._put(int(self._line(LONGEST_NUMBER))),
            b"g": lambda: self._get(int(self._line(LONGEST_NUMBER))),
            b"I": lambda: push(self._whole_line()),
            b"L": lambda: push(self._bounded(int(self._line(LONGEST_NUMBER).rstrip(b"L")))),
            b"\x8a": lambda: push(self._long("<B")),
            b"\x8b": lambda: push(self._long("<i")),
            b"F": lambda: push(float(self._line(LONGEST_NUMBER))),
            b"S": lambda: push(_unquoted(self._text_line())),
            b"V": lambda: push(self._text_line().decode("raw-unicode-escape")),
            b"t": lambda: push(self._measured(tuple(self._marked()))),
            b"l": lambda: push(self._measured(self._marked())),
            b"d": lambda: push(self._filled({}, self._marked())),
            b"a": lambda: self._append([self._pop()]),
            b"e": lambda: self._append(self._marked()),
            b"s": lambda: self._set([self._pop(), self._pop()][::-1]),
            b"u": lambda: self._set(self._marked()),
            b"\x90": self._marked,
            b"\x91": self._frozen,
            b"c": lambda: self._name(*(self._line(LONGEST_NAME).decode() for _ in range(2))),
            b"\x93": lambda: self._name(*[self._pop(), self._pop()][::-1]),
            b"R": self._call,
            b"\x81": self._call,
            b"\x92": self._call_with_names,
            b"b": self._build,
            b"Q": self._refer,
        }
        steps |= {code: self._reading(form, push) for code, form in NUMBERS.items()}
        steps |= {code: self._reading(form, self._put) for code, form in PUTS.items()}
        steps |= {code: self._reading(form, self._get) for code, form in GETS.items()}
        steps |= {code: self._texts(form, _as_text) for code, form in TEXTS.items()}
        steps |= {code: self._texts(form, _as_old_text) for code, form in OLD_TEXTS.items()}
        steps |= {code: self._texts(form, bytes) for code, form in BYTES.items()}
        steps |= {code: partial(push, value) for code, value in CONSTANTS.items()}
        steps |= {code: lambda kind=kind: push(kind()) for code, kind in NEW.items()}  # type: ignore[misc]
        steps |= {code: partial(self._tuple, count) for code, count in TUPLES.items()}
        return steps

    # -- reading

    def _exactly(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) != count:
            raise EOFError
        return data

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._exactly(struct.calcsize(form)))[0]

    def _reading(self, form: str, use: Callable[[Any], None]) -> Callable[[], object]:
        unpack, size, read = struct.Struct(form).unpack, struct.calcsize(form), self._exactly
        return lambda: use(unpack(read(size))[0])

    def _texts(self, form: str, made: Callable[[bytes], Any]) -> Callable[[], object]:
        return self._reading(form, lambda count: self._push(made(self._exactly(self._admitted(count)))))

    def _frame(self) -> None:
        if self._number("<Q") > MOST_TEXT + LONGEST_NUMBER * MOST_WORK:
            raise self._refused("asks for more memory than it can need")

    def _line(self, longest: int) -> bytes:
        line = self._file.readline(longest + 1)
        if not line.endswith(b"\n"):
            raise pickle.UnpicklingError("a line without an end")
        return line[:-1]

    def _text_line(self) -> bytes:
        line = self._line(MOST_TEXT - self._text)
        self._admitted(len(line))
        return line

    def _whole_line(self) -> int | bool:
        line = self._line(LONGEST_NUMBER)
        return line == b"01" if line in (b"00", b"01") else self._bounded(int(line))

    def _long(self, form: str) -> int:
        count = self._number(form)
        if not 0 <= count <= LONGEST_NUMBER:
            raise self._refused("holds a number that is larger than any model's")
        return self._bounded(int.from_bytes(self._exactly(count), "little", signed=True))

    # -- bounds

    def _admitted(self, count: int) -> int:
        self._text += count
        if self._text > MOST_TEXT:
            raise self._refused("holds more text than any model's")
        return count

    def _bounded(self, number: int) -> int:
        if number.bit_length() > 64 and number != LEGACY_MAGIC:
            raise self._refused("holds a number that is larger than any model's")
        return number

    def _key(self, value: Any) -> Any:
        """`value` as a key of a dictionary, if hashing and comparing it is cheap."""
        if type(value) is str or type(value) is bytes:
            fits = len(value) <= LONGEST_KEY
        elif type(value) is tuple:
            self._tuple_keys += 1
            fits = self._tuple_keys <= MOST_TUPLE_KEYS and _is_small(value)
        else:
            fits = type(value) in PLAIN_KEYS
        if not fits:
            raise self._refused("names a value by something that is no text and no number")
        return value

    def _measured(self, values: Any) -> Any:
        """A new list or tuple, if it is not too deep."""
        self._note_levels(values, values)
        return values

    def _note_levels(self, container: Any, members: Iterable[Any]) -> None:
        """Refuse a container that is too deep with its new `members`. What is put into these later does not
        count here: `pickles` looks at the whole.
        """
        inner = [self._levels[id(each)][0] for each in members if id(each) in self._levels]
        levels = 1 + max(inner, default=0)
        if levels > DEEPEST:
            raise self._refused(f"nests values deeper than {DEEPEST} levels")
        if levels > self._levels.get(id(container), (0,))[0]:
            self._levels[id(container)] = levels, container

    # -- the stack

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        return self._stack.pop()

    def _mark(self) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _marked(self) -> list[Any]:
        """The values above the last mark, which goes with them."""
        values, self._stack = self._stack, self._below.pop()
        return values

    def _tuple(self, count: int) -> None:
        values = tuple(self._stack[-count:])
        if len(values) != count:
            raise pickle.UnpicklingError("a tuple of what is not there")
        self._stack[-count:] = [self._measured(values)]

    def _put(self, index: int) -> None:
        if not 0 <= index <= MOST_WORK:
            raise self._refused("asks for more memory than it can need")
        self._memo[index] = self._stack[-1]

    def _get(self, index: int) -> None:
        self._stack.append(self._memo[index])

    # -- values

    def _frozen(self) -> None:
        """A frozen set, which nobody reads either."""
        self._marked()
        self._push(Inert())

    def _append(self, values: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is list:
            target.extend(values)
            self._note_levels(target, values)
        elif not isinstance(target, Inert):
            raise pickle.UnpicklingError("members of what has none")

    def _set(self, values: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, Inert):
            self._filled(target, values)

    def _filled(self, target: Any, values: list[Any]) -> Any:
        """`target` with `values`, a key before each value."""
        if type(target) not in KNOWN_DICTS or len(values) % 2:
            raise pickle.UnpicklingError("entries of what has none")
        for key, value in zip(values[::2], values[1::2], strict=True):
            target[self._key(key)] = value
        self._note_levels(target, values)
        return target

    def _name(self, module: Any, name: Any) -> None:
        if type(module) is not str or type(name) is not str or max(len(module), len(name)) > LONGEST_NAME:
            raise pickle.UnpicklingError("a name that is none")
        found = known_name(module, name)
        if found is None:
            wanted = encodable(f"{module[:80]}.{name[:80]}")
            raise UnusableFile(
                f"{self._path.name} was not loaded: besides tensors it asks for {wanted}, which a model does "
                "not need and which could run commands on this machine. Nothing of it was run. Look for the "
                "same model as .safetensors, or delete the file."
            )
        self._push(found)

    def _refer(self) -> None:
        storage = storage_of(self._pop())
        self.storages[self._key(storage.key)] = storage.dtype
        self._push(storage)

    def _call_with_names(self) -> None:
        self._pop()
        self._call()

    def _call(self) -> None:
        arguments, called = self._pop(), self._pop()
        if type(arguments) is not tuple:
            raise pickle.UnpicklingError("a call without arguments")
        self._push(self._made(called, arguments))

    def _made(self, called: Any, arguments: tuple[Any, ...]) -> Any:
        if called is Inert:
            return Inert()
        if len(arguments) > MOST_ARGUMENTS:
            raise pickle.UnpicklingError("a call with more arguments than anything takes")
        if called is PlainDict or called is ParameterDict:
            made = called()
            for given in arguments[:1]:
                self._filled(made, self._entries(given))
            return made
        if type(called) is not StandIn:
            raise pickle.UnpicklingError("a call of what is no function")
        return called.call(*arguments)

    def _entries(self, given: Any) -> list[Any]:
        """Keys and values in turn, out of a dictionary or of a list of pairs."""
        if not isinstance(given, CONTAINERS):
            raise pickle.UnpicklingError("entries that are none")
        self._copied += len(given)
        if self._copied > MOST_WORK:
            raise self._refused("is longer than any model's")
        pairs: Iterable[Any] = given.items() if isinstance(given, dict) else given
        flat: list[Any] = []
        for pair in pairs:
            if not isinstance(pair, list | tuple) or len(pair) != 2:
                raise pickle.UnpicklingError("entries that are no pairs")
            flat += pair
        return flat

    def _build(self) -> None:
        """The state of an object is left out, but for what a ParameterDict holds."""
        state, target = self._pop(), self._stack[-1]
        if type(target) is ParameterDict:
            held = state.get("_parameters") if isinstance(state, dict) else None
            if isinstance(held, dict):
                self._filled(target, self._entries(held))
        elif type(target) not in (PlainDict, StandIn) and not isinstance(target, Inert):
            raise pickle.UnpicklingError("a state of what has none")


def _as_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _as_old_text(data: bytes) -> str:
    """A text of Python 2, which had no encoding."""
    return data.decode("utf-8", "replace")


def _unquoted(line: bytes) -> str:
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise pickle.UnpicklingError("a text without quotes")
    return _as_old_text(codecs.escape_decode(line[1:-1])[0])


def _is_small(key: tuple[Any, ...]) -> bool:
    """Whether a tuple is of texts, numbers and a few such tuples."""
    left, level = LARGEST_TUPLE_KEY, [key]
    for _ in range(3):
        members: list[Any] = []
        for each in level:
            left -= len(each)
            if left < 0:
                return False
            members += each
        level = [each for each in members if type(each) is tuple]
        others = [each for each in members if type(each) is not tuple]
        if any(type(each) not in (str, *PLAIN_KEYS) for each in others):
            return False
        if any(len(each) > LONGEST_KEY for each in others if type(each) is str):
            return False
    return not level
