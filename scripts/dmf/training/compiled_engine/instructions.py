"""How an instruction on lanes is written: LLVM vectors of one number a lane, in one array of workspace.

A place in the workspace counts in lanes: place p holds the numbers p * LANES to p * LANES + LANES - 1 of the array.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from inspect import Parameter, Signature, signature
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def _register() -> int:
    try:
        return 8 if binding.get_host_cpu_features().get("avx512f") else 4
    except RuntimeError:  # a processor that LLVM does not know
        return 4


LANES = 8  # float64 numbers in the widest vector register of current processors; narrower ones take two steps
REGISTER = _register()  # float64 numbers in a register here; those of 4 are 16, those of 8 are 32
UNROLL = 4  # independent sums in a reduction, because one addition takes as long as four can start

_PLACE = ir.IntType(64)

Value = Any  # llvmlite has no types
Loads = Callable[[], list[Value]]
Offset = Value | int | tuple[Value, Value | int]
"""A number of places, or a stride and how often to take it."""


class Emitter:
    """Writes the code of one instruction: vectors in registers, loads and stores at places of the workspace."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Sequence[Value]) -> None:
        """Take what numba hands to a code generator; the first argument is the workspace."""
        workspace = context.make_array(signature.args[0])(context, builder, arguments[0])
        self.builder = builder
        self._of(workspace.data, LANES)

    def _of(self, data: Value, lanes: int) -> None:
        """Write for so many lanes at a time, of which the first is at `data`."""
        self.vector = ir.VectorType(ir.DoubleType(), lanes)
        self.zero = self.constant(0.0)
        self._data, self._lanes = data, lanes
        self._base = self.builder.bitcast(data, self.vector.as_pointer())
        kind = ir.FunctionType(self.vector, [self.vector] * 3)
        self._fma = cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.fma.v{lanes}f64")

    def parts(self) -> Iterator[Emitter]:
        """Writers for the lanes of one register each, where sums take all registers that there are."""
        for first in range(0, LANES, REGISTER):
            part = copy.copy(self)
            part._of(self.builder.gep(self._data, [ir.Constant(_PLACE, first)]), REGISTER)
            yield part

    def constant(self, number: float) -> Value:
        """The same number in every lane."""
        return ir.Constant(self.vector, [number] * self.vector.count)

    def load(self, base: Value, *offsets: Offset) -> Value:
        """The vector at the place base + the sum of offsets."""
        return self.builder.load(self._address(base, offsets), align=8 * self._lanes)

    def store(self, vector: Value, base: Value, *offsets: Offset) -> None:
        """Write the vector at the place base + the sum of offsets."""
        self.builder.store(vector, self._address(base, offsets), align=8 * self._lanes)

    def _address(self, place: Value, offsets: Sequence[Offset]) -> Value:
        for offset in offsets:
            stride, count = offset if isinstance(offset, tuple) else (None, offset)
            number = ir.Constant(_PLACE, count) if isinstance(count, int) else count
            place = self.builder.add(place, number if stride is None else self.builder.mul(stride, number))
        steps = ir.Constant(_PLACE, LANES // self._lanes)
        return self.builder.gep(self._base, [self.builder.mul(place, steps)])

    def walk(self, start: Value, stride: Value, count: int, step: Value) -> Loads:
        """What writes `count` loads, `stride` places apart from `start` on, and moves them by `step` places.

        Written so, the compiler adds once a step, where it would multiply strides for every load.
        """
        byte, place = ir.IntType(8).as_pointer(), ir.Constant(_PLACE, 8 * LANES)
        here = cgutils.alloca_once(self.builder, byte)
        first = self.builder.gep(self.builder.bitcast(self._data, byte), [self.builder.mul(start, place)])
        self.builder.store(first, here)
        apart = [self.builder.mul(self.builder.mul(stride, place), ir.Constant(_PLACE, i)) for i in range(count)]
        moved = self.builder.mul(step, place)

        def loads() -> list[Value]:
            now = self.builder.load(here)
            self.builder.store(self.builder.gep(now, [moved]), here)
            places = [self.builder.bitcast(self.builder.gep(now, [away]), self.vector.as_pointer()) for away in apart]
            return [self.builder.load(one, align=8 * self._lanes) for one in places]

        return loads

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """A * b + c, rounded once."""
        return self.builder.call(self._fma, [a, b, c])

    def root(self, a: Value) -> Value:
        """The square root of a, rounded once."""
        kind = ir.FunctionType(self.vector, [self.vector])
        name = f"llvm.sqrt.v{self._lanes}f64"
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), [a])

    def chosen(self, mask: Value, a: Value, b: Value) -> Value:
        """A in the lanes where the mask is not zero, b in the others, without regard to the other lanes."""
        return self.builder.select(self.builder.fcmp_unordered("!=", mask, self.zero), a, b)

    def loop(self, count: Value, body: Callable[[Value], None]) -> None:
        """Write a loop of `body` over 0, ..., count - 1, which the compiler must not unroll.

        Bodies fill all registers; the addresses of four copies would lie in memory.
        """
        with cgutils.for_range(self.builder, count) as loop:
            body(loop.index)
            last = self.builder.block
        keep = self.builder.module.add_metadata(["llvm.loop.unroll.disable"])
        name = ir.values.MDValue(self.builder.module, [keep], str(len(self.builder.module.metadata)))
        name.operands = (name, keep)  # a loop's metadata names itself
        last.terminator.set_metadata("llvm.loop", name)

    def unrolled(self, count: Value, body: Callable[[Value, int], None]) -> None:
        """Write a loop over 0, ..., count - 1, a multiple of UNROLL; body also learns which of UNROLL copies it is."""
        step = ir.Constant(_PLACE, UNROLL)

        def steps(index: Value) -> None:
            first = self.builder.mul(index, step)
            for which in range(UNROLL):
                body(self.builder.add(first, ir.Constant(_PLACE, which)), which)

        self.loop(self.builder.sdiv(count, step), steps)


class Register:
    """A vector that loops may change."""

    def __init__(self, emitter: Emitter, vector: Value | None = None) -> None:
        """Start from `vector`, or from zero."""
        self._emitter = emitter
        self._slot = cgutils.alloca_once(emitter.builder, emitter.vector)
        self.value = emitter.zero if vector is None else vector

    @property
    def value(self) -> Value:
        """What it holds."""
        return self._emitter.builder.load(self._slot)

    @value.setter
    def value(self, vector: Value) -> None:
        self._emitter.builder.store(vector, self._slot)

    def add_product(self, a: Value, b: Value) -> None:
        """Add a * b, rounded once."""
        self.value = self._emitter.fma(a, b, self.value)


def total(emitter: Emitter, sums: Sequence[Register]) -> Value:
    """The sum of UNROLL partial sums, in pairs."""
    values = [register.value for register in sums]
    while len(values) > 1:
        values = [emitter.builder.fadd(a, b) for a, b in zip(values[::2], values[1::2], strict=True)]
    return values[0]


def instruction(emit: Callable[..., None]) -> Any:
    """Make `emit(emitter, *integers)` a function of (workspace, *integers) that compiled code can call."""

    def lowered(typing_context: Any, workspace: Any, *integers: Any) -> Any:
        def generate(context: Any, builder: Any, typed: Any, arguments: Sequence[Value]) -> Value:
            emit(Emitter(context, builder, typed, arguments), *arguments[1:])
            return context.get_dummy_value()

        return types.void(workspace, *[types.intp] * len(integers)), generate

    # numba wants every parameter by its name
    names = ["typing_context", "workspace", *list(signature(emit).parameters)[1:]]
    parameters = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    lowered.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return intrinsic(lowered)
