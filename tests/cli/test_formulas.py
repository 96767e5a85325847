"""Formulas in the terminal: what a reader sees of LaTeX, and that every text of every claim can be read."""

import pytest

from dmf.claims import load_claims
from dmf.cli.explain import sections
from dmf.formulas import in_unicode

READ = {
    r"no formula, 3 % & more": "no formula, 3 % & more",
    r"$X = W_L \cdots W_1$": "X = W_L ⋯ W₁",
    r"$\|W_l\|_F^2 = \alpha^2$": "‖Wₗ‖_F² = α²",
    r"$x^{2/L}$ and $x^{(L-1)}$": "x^(2/L) and x⁽ᴸ⁻¹⁾".replace("⁽ᴸ⁻¹⁾", "^((L−1))"),
    r"$W_{l+1}^T$": "Wₗ₊₁^T",
    r"$X^* \neq 0$": "X* ≠ 0",
    r"$\frac{1}{L}\sum_l s_l$": "(1/L)∑ₗ sₗ",
    r"$\frac{a + b}{2} = c$": "((a + b)/2) = c",
    r"$\sqrt{L}\,(s_1 + \delta)$": "√L (s₁ + δ)",
    r"$\sqrt{a + b}$": "√(a + b)",
    r"$-e_1 / \tau$": "−e₁ / τ",
    r"$2\lambda \pm 2|m|$": "2λ ± 2|m|",
    r"$\mathrm{tr}\, \nabla^2 F \geq 2$": "tr ∇² F ≥ 2",
    r"$\min_X S(X)$": "min_X S(X)",
    r"$\log P$ to $\lambda_{\max}$": "log P to λₘₐₓ",
    r"$\|M - X\|_{S_{2/L}}$": "‖M − X‖_(S_(2/L))",
    r"$\tilde U$": "\u0168",
    r"$\|X\|_* + \frac{F}{2 \lambda s}$": "‖X‖_* + (F/(2 λ s))",
    r"$\log \varepsilon$, $\sin\Theta_k$": "log ε, sin Θₖ",
    r"$k \leq \#\{i : \sigma_i > m_{loc}\}$": "k ≤ #{i : σᵢ > m_loc}",
    r"$m < 1$ & $m > 2$": "m < 1 & m > 2",
}


@pytest.mark.parametrize("latex", READ)
def test_a_formula_reads_as_it_is_written(latex: str) -> None:
    assert in_unicode(latex) == READ[latex]


def test_no_text_of_a_claim_keeps_a_command_a_brace_or_markup() -> None:
    for name, claim in load_claims().items():
        for text in (claim.title, *sections(claim).values()):
            shown = in_unicode(text)
            assert not set(shown) & set("$\\<&") - set("<" if "<" in text or r"\lt" in text else ""), (name, shown)
            assert "mrow" not in shown
            # A brace that is shown is one of a set, written \{ in a formula, or stands outside of formulas.
            braces = sum(part.count(r"\{" if odd % 2 else "{") for odd, part in enumerate(text.split("$")))
            assert shown.count("{") == braces, (name, shown)


def test_what_is_no_latex_is_refused() -> None:
    with pytest.raises(ValueError, match="not LaTeX"):
        in_unicode(r"$\nonsense x$")
