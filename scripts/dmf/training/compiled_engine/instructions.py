"""How an instruction on lanes is written: LLVM vectors of one number a lane, in one array of workspace.

A place in the workspace counts in lanes: place p holds the numbers p * LANES to p * LANES + LANES - 1 of the array.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import Parameter, Signature, signature
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 8  # float64 numbers in the widest vector register of current processors; narrower ones take two steps
UNROLL = 4  # independent sums in a reduction, because one addition takes as long as four can start

_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_PLACE = ir.IntType(64)
_ALIGNMENT = 8 * LANES

Value = Any  # llvmlite has no types
Offset = Value | int | tuple[Value, Value | int]
"""A number of places, or a stride and how often to take it."""


class Emitter:
    """Writes the code of one instruction: vectors in registers, loads and stores at places of the workspace."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Sequence[Value]) -> None:
        """Take what numba hands to a code generator; the first argument is the workspace."""
        workspace = context.make_array(signature.args[0])(context, builder, arguments[0])
        self.builder = builder
        self.zero = self.constant(0.0)
        self._base = builder.bitcast(workspace.data, _VECTOR.as_pointer())
        fma = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        self._fma = cgutils.get_or_insert_function(builder.module, fma, f"llvm.fma.v{LANES}f64")

    def constant(self, number: float) -> Value:
        """The same number in every lane."""
        return ir.Constant(_VECTOR, [number] * LANES)

    def load(self, base: Value, *offsets: Offset) -> Value:
        """The vector at the place base + the sum of offsets."""
        return self.builder.load(self._address(base, offsets), align=_ALIGNMENT)

    def store(self, vector: Value, base: Value, *offsets: Offset) -> None:
        """Write the vector at the place base + the sum of offsets."""
        self.builder.store(vector, self._address(base, offsets), align=_ALIGNMENT)

    def _address(self, place: Value, offsets: Sequence[Offset]) -> Value:
        for offset in offsets:
            stride, count = offset if isinstance(offset, tuple) else (None, offset)
            number = ir.Constant(_PLACE, count) if isinstance(count, int) else count
            place = self.builder.add(place, number if stride is None else self.builder.mul(stride, number))
        return self.builder.gep(self._base, [place])

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """A * b + c, rounded once."""
        return self.builder.call(self._fma, [a, b, c])

    def root(self, a: Value) -> Value:
        """The square root of a, rounded once."""
        kind = ir.FunctionType(_VECTOR, [_VECTOR])
        return self.builder.call(
            cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.sqrt.v{LANES}f64"), [a]
        )

    def chosen(self, mask: Value, a: Value, b: Value) -> Value:
        """A in the lanes where the mask is not zero, b in the others, without regard to the other lanes."""
        return self.builder.select(self.builder.fcmp_unordered("!=", mask, self.zero), a, b)

    def loop(self, count: Value, body: Callable[[Value], None]) -> None:
        """Write a loop of `body` over 0, ..., count - 1."""
        with cgutils.for_range(self.builder, count) as loop:
            body(loop.index)

    def unrolled(self, count: Value, body: Callable[[Value, int], None]) -> None:
        """Write a loop over 0, ..., count - 1, a multiple of UNROLL; body also learns which of UNROLL copies it is."""
        step = ir.Constant(_PLACE, UNROLL)

        def steps(index: Value) -> None:
            first = self.builder.mul(index, step)
            for copy in range(UNROLL):
                body(self.builder.add(first, ir.Constant(_PLACE, copy)), copy)

        self.loop(self.builder.sdiv(count, step), steps)


class Register:
    """A vector that loops may change."""

    def __init__(self, emitter: Emitter, vector: Value | None = None) -> None:
        """Start from `vector`, or from zero."""
        self._emitter = emitter
        self._slot = cgutils.alloca_once(emitter.builder, _VECTOR)
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
