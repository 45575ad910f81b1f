"""Parse joblib files of plain containers and numeric arrays without running any code in them.

A joblib file is a pickle, and a pickle is a program. This module does not run that program: it walks its
instructions (:func:`pickletools.genops` only parses) and knows the few that plain data needs. A class or
function named there is compared with the three names an array consists of; everything else is refused by its
name, and nothing is ever imported or called.
"""

from __future__ import annotations

import io
import math
import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ghostbuster.errors import ArtifactError
from ghostbuster.system.printable import printable

MAX_OPCODES = 1_000_000
"""Most pickle instructions; the ones made here have some ten thousand."""
MAX_DEPTH = 64
"""Deepest nesting of containers."""
MAX_DIMENSIONS = 8
"""Most dimensions of an array; the ones made here have two at most."""
MAX_REPEATED = 1 << 20
"""Characters of all texts together, each counted wherever it stands, that any file may have."""
MAX_SHOWN = 80
"""Characters of an untrusted word that a message repeats."""

_WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"
_NDARRAY = "numpy.ndarray"
_DTYPE = "numpy.dtype"
DTYPES = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"})
"""Element types an array may have: numbers and truth values, never objects."""


@dataclass(frozen=True, slots=True)
class _Name:
    """A class that was named and is one of the three allowed; only ever compared, never looked up."""

    text: str


class _Header:
    """The header of an array whose numbers are not read yet."""


@dataclass(slots=True)
class _Dtype:
    """An element type: its code without byte order, and its byte order, which the pickle tells later."""

    code: str
    order: str = "="


_MARK = object()
_T = TypeVar("_T")


def parse(content: bytes, path: Path) -> Any:
    """Plain containers and numeric arrays that ``joblib.dump`` wrote.

    Parameters
    ----------
    content : bytes
        A joblib file, unpacked.
    path : Path
        What errors name.

    Returns
    -------
    object
        Nested dict (of str), list, tuple, str, int, float, bool, None and numeric :class:`numpy.ndarray`;
        every container stands in one place only.

    Raises
    ------
    ArtifactError
        When it is cut short, damaged, or holds anything but plain data, which is named.
    """
    reader = _Reader(content, path)
    try:
        return reader.run()
    except (ValueError, LookupError, TypeError, OverflowError) as error:
        raise ArtifactError(
            f"{path} is damaged near byte {reader.position} of its unpacked content ({error}): "
            "get it again from where it was made"
        ) from error


class _Reader:
    """The stack and the memo of one pickle, filled with plain values only."""

    def __init__(self, content: bytes, path: Path) -> None:
        self.file = io.BytesIO(content)
        self.size = len(content)
        self.path = path
        self.position = 0
        self.stack: list[Any] = []
        self.memo: list[Any] = []
        self.n_characters = 0

    def run(self) -> Any:
        """The object that the whole stream describes."""
        for count, (op, argument, position) in enumerate(pickletools.genops(self.file)):
            self.position = position or 0
            if count >= MAX_OPCODES:
                raise ArtifactError(f"{self.path} has over {MAX_OPCODES} instructions: no detector file has")
            self.step(op.name, argument)
        if self.file.tell() != self.size or len(self.stack) != 1:
            raise ValueError("not one object")
        self.check_tree(self.stack[0], 0, set())
        if self.n_characters > max(self.size, MAX_REPEATED):
            raise self.refusal("one text in more places than the whole file has room for")
        return self.stack[0]

    def step(self, instruction: str, argument: Any) -> None:
        """Follow one instruction, or refuse it by its name."""
        if instruction in _ARGUMENTS:
            self.stack.append(argument)
        elif instruction in _NEW:
            self.stack.append(_NEW[instruction]())
        elif instruction in _ACTIONS:
            _ACTIONS[instruction](self)
        elif instruction in _LOOKUPS:
            _LOOKUPS[instruction](self, argument)
        elif instruction not in _IGNORED:
            raise self.refusal(f"the pickle instruction {instruction}")

    def refusal(self, found: str) -> ArtifactError:
        """Why this file is not read."""
        return ArtifactError(
            f"{self.path} holds {printable(found[:MAX_SHOWN])}; a detector file holds plain values and "
            "arrays of numbers only. "
            "Nothing of it was run: do not use it unless you know who made it"
        )

    def since_mark(self) -> list[Any]:
        """What was pushed since the last mark."""
        start = len(self.stack) - 1
        while self.stack[start] is not _MARK:
            start -= 1
            if start < 0:
                raise ValueError("no mark")
        items = self.stack[start + 1 :]
        del self.stack[start:]
        return items

    def pop(self, count: int) -> list[Any]:
        """The last ``count`` values, taken off."""
        items = self.stack[-count:]
        del self.stack[-count:]
        return items

    def append(self, items: list[Any]) -> None:
        """Add ``items`` to the list below them."""
        _of(list, self.stack[-1]).extend(items)

    def set_items(self, items: list[Any]) -> None:
        """Add ``items``, keys and values in turn, to the dict below them."""
        keys = items[::2]
        if not all(type(key) is str for key in keys):
            raise self.refusal(f"a key of type {next(type(k).__name__ for k in keys if type(k) is not str)}")
        _of(dict, self.stack[-1]).update(zip(keys, items[1::2], strict=True))

    def name(self, module: Any, attribute: Any) -> None:
        """Push a class's name, if it is one that an array consists of."""
        text = f"{_of(str, module)}.{_of(str, attribute)}"
        if text not in {_WRAPPER, _NDARRAY, _DTYPE}:
            raise self.refusal(text)
        self.stack.append(_Name(text))

    def new(self) -> None:
        """``cls(*())``: only an array may be announced."""
        arguments, named = self.stack.pop(), self.stack.pop()
        if named != _Name(_WRAPPER) or arguments != ():
            raise self.refusal(f"an object of {getattr(named, 'text', 'an unknown class')}")
        self.stack.append(_Header())

    def call(self) -> None:
        """``function(*arguments)``: only ``numpy.dtype(code, False, True)``."""
        arguments, named = self.stack.pop(), self.stack.pop()
        if named != _Name(_DTYPE):
            raise self.refusal(f"a call of {getattr(named, 'text', 'an unknown function')}")
        code = _of(str, _of(tuple, arguments)[0])  # not yet checked: to print or hash it may take for ever
        if code not in DTYPES:
            raise self.refusal(f"an array of type {code[:MAX_SHOWN]!r}")
        self.stack.append(_Dtype(code))

    def build(self) -> None:
        """State of the object below it: a byte order, or an array whose numbers follow in the file."""
        state = self.stack.pop()
        target = self.stack[-1]
        if isinstance(target, _Dtype):
            target.order = {"<": "<", ">": ">", "|": "="}[_of(str, _of(tuple, state)[1])]
        elif isinstance(target, _Header):
            self.stack[-1] = self.array(_of(dict, state))
        else:
            raise self.refusal(f"a state for a value of type {type(target).__name__}")

    def array(self, state: Mapping[str, Any]) -> Any:
        """The array that ``state`` announces, its size checked against what the file still holds."""
        import numpy as np

        dtype, shape = state["dtype"], _of(tuple, state["shape"])
        if state["subclass"] != _Name(_NDARRAY):
            raise self.refusal("an array of an unknown class")
        if len(shape) > MAX_DIMENSIONS or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError("an array of a shape that none has")
        if state["numpy_array_alignment_bytes"] is not None:
            self.file.seek(
                self.file.read(1)[0], io.SEEK_CUR
            )  # one byte says how many bytes of padding follow
        n_bytes = math.prod(shape) * int(_of(_Dtype, dtype).code[1])
        if max(shape, default=0) > self.size or n_bytes > self.size - self.file.tell():
            raise ArtifactError(f"{self.path} announces an array larger than the file: it is damaged")
        made = np.frombuffer(self.file.read(n_bytes), dtype=np.dtype(dtype.order + dtype.code))
        native = made.astype(made.dtype.newbyteorder("="))
        return native.reshape(shape, order="F" if state["order"] == "F" else "C")

    def check_tree(self, value: Any, depth: int, seen: set[int]) -> None:
        """Containers stand in one place each and nest ``MAX_DEPTH`` deep at most; no array lacks numbers."""
        if isinstance(value, _Name | _Header | _Dtype) or value is _MARK:
            raise ValueError("an array without its numbers")
        if type(value) is str:
            self.n_characters += len(value)
        if not isinstance(value, dict | list | tuple) or not value:
            return
        if id(value) in seen or depth >= MAX_DEPTH:
            raise self.refusal("a container that holds itself, stands in two places or nests too deeply")
        seen.add(id(value))
        for item in value.values() if isinstance(value, dict) else value:
            self.check_tree(item, depth + 1, seen)


def _of(kind: type[_T], value: Any) -> _T:
    """``value``, which must be of this very type."""
    if type(value) is not kind:
        raise ValueError(f"{type(value).__name__} where {kind.__name__} belongs")
    return value


_STRINGS = ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8")
_NUMBERS = ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT")  # no whole number of over 255 bytes
_ARGUMENTS = frozenset({*_STRINGS, *_NUMBERS})
"""Instructions that push their own argument."""

_NEW: dict[str, Callable[[], object]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "MARK": lambda: _MARK,
}
"""Instructions that push a fresh value."""

_ACTIONS: dict[str, Callable[[_Reader], object]] = {
    "TUPLE": lambda reader: reader.stack.append(tuple(reader.since_mark())),
    "TUPLE1": lambda reader: reader.stack.append(tuple(reader.pop(1))),
    "TUPLE2": lambda reader: reader.stack.append(tuple(reader.pop(2))),
    "TUPLE3": lambda reader: reader.stack.append(tuple(reader.pop(3))),
    "APPEND": lambda reader: reader.append(reader.pop(1)),
    "APPENDS": lambda reader: reader.append(reader.since_mark()),
    "SETITEM": lambda reader: reader.set_items(reader.pop(2)),
    "SETITEMS": lambda reader: reader.set_items(reader.since_mark()),
    "MEMOIZE": lambda reader: reader.memo.append(reader.stack[-1]),
    "STACK_GLOBAL": lambda reader: reader.name(*reader.pop(2)),
    "NEWOBJ": lambda reader: reader.new(),
    "REDUCE": lambda reader: reader.call(),
    "BUILD": lambda reader: reader.build(),
}
"""Instructions on what was pushed before."""

_LOOKUPS: dict[str, Callable[[_Reader, Any], object]] = {
    "BINGET": lambda reader, index: reader.stack.append(reader.memo[index]),
    "LONG_BINGET": lambda reader, index: reader.stack.append(reader.memo[index]),
    "GLOBAL": lambda reader, named: reader.name(*named.split(" ")),
    "INST": lambda reader, named: reader.name(*named.split(" ")),
}
"""Instructions on something their argument names."""

_IGNORED = frozenset({"PROTO", "FRAME", "STOP"})
