"""Beyond the paper: the pieces of the set of minimizers and of all levels, and the lowest passes between them."""

import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import Declared, Off, Value, ValueOf, declared, where
from dmf.evidence.eligibility import everywhere, is_certified


def pieces_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of the number of pieces from the closed form, in quarters, (cell, start)."""
    return _of_cell(evidence, abs(evidence["pieces"] - evidence["predicted_pieces"]) / evidence["piece_tolerance"])


def signs_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of the number of signs of determinants from the closed form, in quarters, (cell, start)."""
    return _of_cell(evidence, abs(evidence["signs"] - evidence["predicted_pieces"]) / evidence["piece_tolerance"])


def end_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of the end of the rotations from the minimizer over its tolerance, (cell, start)."""
    return evidence["end_gap"] / evidence["end_tolerance"]


def flat_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The largest change of F along the rotations over its tolerance, (cell, start)."""
    return evidence["path"] / evidence["path_tolerance"]


def pass_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of the lowest pass found from the closed form over its tolerance, (cell, start)."""
    return _of_cell(evidence, abs(evidence["lowest_pass"] - evidence["barrier"]) / evidence["pass_tolerance"])


def _of_cell(evidence: xr.Dataset, ratio: xr.DataArray) -> xr.DataArray:
    return ratio.broadcast_like(evidence["in_piece"]).transpose("cell", "start")


def is_joined(evidence: xr.Dataset) -> xr.DataArray:
    """Minimizers that rotations join to the first one of their piece, (cell, start)."""
    return evidence["in_piece"] == 1


def in_pieces(evidence: xr.Dataset) -> xr.DataArray:
    """Cells with several pieces by the closed form, (cell,)."""
    return evidence["predicted_pieces"] > 1


def spare(**fields: Value) -> Declared:
    """Minimizers of layers with a spare neuron, with fields declared otherwise."""
    return declared(where(target="spare-neurons"), **fields)


def none_spare(**fields: Value) -> Declared:
    """Minimizers of layers without a spare neuron, with fields declared otherwise."""
    return declared(where(target="no-spare"), **fields)


COMPONENTS = Claim(
    title="Minimizers fall into pieces where no neuron is spare, with one pass between any two",
    source="Beyond Theorem 2",
    statements=("Beyond the paper: components",),
    statement=(
        r"The minimizers have $2^c$ connected components, $c$ the number of hidden layers whose width is the rank of "
        r"$X^*$. Within one, rotations join any two, and $F$ is constant along them. The lowest pass between two is "
        r"$g(x_s; \sigma_n) - g(x_l; \sigma_n)$ above the minimum, with $x_s$ and $x_l$ the small and the large root "
        r"of $h(x) = \sigma_n$; for $L = 2$ it is $(\sigma_n - \lambda)^2$."
    ),
    statistic=(
        "the largest of: departure of the number of pieces that rotations leave apart, and of the number of signs of "
        "determinants, from the closed form, in quarters; distance of the rotations' ends from the minimizers, change "
        "of $F$ along them, and departure of the lowest pass of relaxed strings, in units of tolerance"
    ),
    tolerance=(
        r"a quarter for whole numbers; $2(\|\nabla F\| + \|\nabla F'\|)/\mu$ for distances; what the gradient at "
        "the run, or at the pass, allows for $F$; and rounding"
    ),
    refuted_by=(
        "two minimizers of one sign that no rotations join, a number of signs other than the closed form's, or a lower "
        "pass"
    ),
    control=(
        "layers with spare neurons, declared to have none; without rotations; straight lines, declared to be the "
        "rotations' path; and the difference of levels, declared to be the pass"
    ),
    scope=everywhere,
    arms=(
        Arm(
            "pieces",
            pieces_ratio,
            spare(predicted_pieces=ValueOf("if_all_filled")),
            none_spare(pieces=Off("predicted_pieces", {"1": 1})),
        ),
        Arm(
            "signs",
            signs_ratio,
            spare(predicted_pieces=ValueOf("if_all_filled")),
            none_spare(signs=Off("predicted_pieces", {"1": 1})),
        ),
        Arm(
            "ends",
            end_ratio,
            none_spare(end_gap=ValueOf("start_gap")),
            none_spare(end_gap=Off(0, {"gradient_norm": 30, "1": 5e-12})),
            concerns=is_joined,
        ),
        Arm(
            "flat",
            flat_ratio,
            none_spare(path=ValueOf("line")),
            none_spare(path=Off(0, {"1": 4e-12})),
            concerns=is_joined,
        ),
        Arm(
            "pass",
            pass_ratio,
            none_spare(barrier=ValueOf("level_difference")),
            none_spare(lowest_pass=Off("barrier", {"1": 1e-12})),
            concerns=in_pieces,
        ),
    ),
    study="components",
)


def height_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of the value at which two leaves merge from the closed form over its tolerance, (cell, start)."""
    return abs(evidence["height"] - evidence["predicted_height"]) / evidence["height_tolerance"]


MERGE_TREE = Claim(
    title="All levels hang on one tree, whose joins are in closed form",
    source="Beyond equation 79",
    statements=("Beyond the paper: components",),
    statement=(
        r"$L \geq 3$, distinct $\sigma_i$: the levels that keep the $j$ and the $k > j$ largest values lie in one "
        r"piece of $\{F \leq c\}$ exactly for $c \geq \max_{j \leq i < k} H_i$, $H_i = F_i + g(x_s; \sigma_{i+1}) - "
        r"\sigma_{i+1}^2$, with $F_i$ the $i$-th level and $x_s$ the small root of $h(x) = \sigma_{i+1}$; the pieces "
        r"of the level that keeps all from $c = H_{n-1}$ on. For $L = 2$ its pieces are the only leaves, and $x_s = 0$."
    ),
    statistic="largest departure of the lowest pass of strings between two leaves from the closed form, in tolerances",
    tolerance="what the gradient at the pass allows for $F$ there, and rounding",
    refuted_by="a string between two leaves over a lower pass, or none over one as low",
    control="the highest value on the straight line between two leaves, declared to be the closed form",
    scope=everywhere,
    arms=(
        Arm(
            "height",
            height_ratio,
            declared(where(problem="ordinary"), predicted_height=ValueOf("straight")),
            declared(where(problem="ordinary"), height=Off("predicted_height", {"1": 1e-12})),
        ),
    ),
    study="merge_tree",
    eligible=is_certified,
    basis="formula",
)
