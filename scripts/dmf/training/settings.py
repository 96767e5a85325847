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


Step = Annotated[float, BeforeValidator(_not_bool), Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, BeforeValidator(_not_bool), Field(ge=0, lt=1)]
Limit = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Lbfgs(_Settings):
    """Limited-memory BFGS with a Wolfe line search: fast, to gradient norms near the rounding level."""

    name: Literal["lbfgs"] = Field(description="Selects this optimizer.")
    memory: int = Field(
        default=3,
        ge=1,
        le=100,
        strict=True,
        description="Pairs of step and gradient change that a run keeps; few, because passes over them cost most.",
    )
    max_iterations: Limit = Field(default=5000, description="Accepted steps after which a run stops unconverged.")


class Continuation(_Settings):
    """L-BFGS at a small lambda, then at larger ones from where it ended, up to the wanted one."""

    name: Literal["continuation"] = Field(description="Selects this optimizer.")
    first: Step = Field(default=0.01, lt=1, description="Smallest lambda, in units of the wanted one.")
    stages: int = Field(default=8, ge=2, le=1000, strict=True, description="Number of lambdas, evenly spaced in log.")
    memory: int = Field(default=3, ge=1, le=100, strict=True, description="As for lbfgs.")
    max_iterations: Limit = Field(default=5000, description="Accepted steps after which a stage stops unconverged.")


class GradientDescent(_Settings):
    """Gradient descent with one fixed step: slow, and what textbooks and papers mean by training."""

    name: Literal["gd"] = Field(description="Selects this optimizer.")
    step: Step = Field(default=0.01, description="Step length, times the whole gradient of F.")
    max_iterations: Limit = Field(default=100_000, description="Steps after which a run stops unconverged.")


class Nesterov(_Settings):
    """Gradient descent with Nesterov's momentum, restarted where it points uphill."""

    name: Literal["nesterov"] = Field(description="Selects this optimizer.")
    step: Step = Field(default=0.01, description="Step length, times the whole gradient of F.")
    max_iterations: Limit = Field(default=100_000, description="Steps after which a run stops unconverged.")


class Adam(_Settings):
    """Adam with a fixed step: what practice uses. Its steps do not shrink, so few runs reach a certificate."""

    name: Literal["adam"] = Field(description="Selects this optimizer.")
    step: Step = Field(default=0.01, description="Learning rate.")
    beta_1: Share = Field(default=0.9, description="Decay of the mean of the gradient.")
    beta_2: Share = Field(default=0.999, description="Decay of the mean of its square.")
    epsilon: Step = Field(default=1e-8, description="Added to the root of that mean.")
    max_iterations: Limit = Field(default=100_000, description="Steps after which a run stops unconverged.")


Optimizer = Annotated[Lbfgs | Continuation | GradientDescent | Nesterov | Adam, Field(discriminator="name")]
"""Every optimizer, told apart by its name."""
