"""Which optimizer trains the runs, with what settings, and how a run can end. Free of torch."""

from enum import IntEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Status(IntEnum):
    """Why a run stopped."""

    CONVERGED = 0
    """The gradient norm is at or below the run's tolerance."""
    ITERATION_LIMIT = 1
    """The optimizer's max_iterations steps were taken first."""
    DIVERGED = 2
    """A value stopped being finite, or the objective left every useful range."""
    STALLED = 3
    """No step makes progress that float64 can resolve, and the gradient norm is still above the tolerance."""


def _not_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("expected a number")
    return value


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Lbfgs(_Settings):
    """Limited-memory BFGS with a Wolfe line search: fast, to gradient norms near the rounding level."""

    name: Literal["lbfgs"] = Field(description="Selects this optimizer.")
    memory: int = Field(
        default=5, ge=1, le=100, strict=True, description="Pairs of step and gradient change that a run keeps."
    )
    max_iterations: int = Field(
        default=2000, ge=1, strict=True, description="Accepted steps after which a run stops unconverged."
    )


class GradientDescent(_Settings):
    """Gradient descent with one fixed step: slow, and what textbooks and papers mean by training."""

    name: Literal["gd"] = Field(description="Selects this optimizer.")
    step: Annotated[float, BeforeValidator(_not_bool)] = Field(
        default=0.01, gt=0, allow_inf_nan=False, description="Step length, times the whole gradient of F."
    )
    max_iterations: int = Field(
        default=100_000, ge=1, strict=True, description="Steps after which a run stops unconverged."
    )


Optimizer = Annotated[Lbfgs | GradientDescent, Field(discriminator="name")]
"""Either optimizer, told apart by its name."""
