"""What a search for refutations found, made up."""

from dmf.evidence.claim import Finding
from dmf.refute.record import Attempt, Record


def record(statistic: float, control: float) -> Record:
    worst = {"target": "candidate-7", "depth": 3, "lam_label": "0.123", "scheme": "balanced", "scale": 0.3, "draw": 0}
    facts = {"lam": 0.1234, "relative": 1.0004, "mu": 0.0125, "gradient_norm": 3.5e-11}

    def attempt(claim: str, value: float) -> Attempt:
        finding = Finding(value, 800, 790, 777, 770, 120, 100, 90, 90, worst)
        return Attempt(claim, f"Title of {claim} $X$", "Theorem 0", finding, "L3-4x2x2x2", [2.5, 0.75], facts)

    nothing = Finding(None, 8, 8, 0, 0, 1, 1, 0, 1, None)
    silent = Attempt("collapse", "Silent", "Theorem 1", nothing, "", [], {})
    return Record(800, 100, [attempt("uniqueness", statistic), silent], attempt("false_claim", control))
