"""The L-BFGS memory of a batch in compact form: a few batched products instead of a loop over the pairs.

With S = [s_1 ... s_m], Y = [y_1 ... y_m] in order of age, R = triu(S^T Y), D = diag(S^T Y), L-BFGS' inverse Hessian is

    H = gamma I + [S, gamma Y] [ R^-T (D + gamma Y^T Y) R^-1   -R^-T ] [ S^T       ]
                               [ -R^-1                            0  ] [ gamma Y^T ]

(Byrd, Nocedal, Schnabel 1994, eq. 3.1). It equals the two-loop recursion (Nocedal & Wright, algorithm 7.4). Here R^-1
itself is kept: dropping the oldest pair deletes its first row and column, and a new column (S^T y, s^T y) of R appends

    R_new^-1 = [ R^-1   -R^-1 S^T y / s^T y ]
               [ 0             1 / s^T y    ].

Neither step cares in which place a pair is stored, so the memory is a ring and nothing is ever moved. A place without
a pair has a zero row and column in R^-1.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Memory:
    """Up to m pairs for each of B runs; a run without pairs has H = gamma I."""

    def __init__(self, count: int, memory: int, size: int) -> None:
        """Make room for `count` runs with `memory` pairs of vectors of `size` entries."""
        self.gamma = np.ones(count)
        self._pairs = torch.zeros(count, memory, 2, size, dtype=torch.float64)  # (s, y) side by side
        # Row i of R^-1 and row i of Y^T Y side by side, so that one write replaces both.
        self._small = torch.zeros(count, memory, 2, memory, dtype=torch.float64)
        self._curvature = torch.zeros(count, memory, dtype=torch.float64)
        self._head = np.zeros(count, dtype=np.int64)

    def clear(self, runs: NDArray[np.int64]) -> None:
        """Drop all pairs of these runs; gamma stays, as the best known scale.

        The head returns to zero because the ring's order is the order of summation: a run's bits must not depend on
        what the slot held before.
        """
        self._pairs[runs], self._small[runs], self._curvature[runs] = 0, 0, 0
        self._head[runs] = 0

    def keep(self, runs: NDArray[np.int64]) -> None:
        """Keep these runs only, in this order."""
        self.gamma, self._head = self.gamma[runs], self._head[runs]
        self._pairs, self._small = self._pairs[runs], self._small[runs]
        self._curvature = self._curvature[runs]

    def push(self, pairs: Tensor, vectors: Tensor, learn: NDArray[np.bool_]) -> Tensor:
        """Store pairs (B, 2, N) = (s, y) and return -H v of the first of vectors (B, 2, N) = (v, y), (B, N).

        Where the mask `learn` (B,) is false, the head does not move on: the next push writes over this one, and the
        result for that run is of no use. A pair without positive curvature s^T y, which the line search rules out but
        rounding does not, only takes the place of an older one.
        """
        count, memory = self._curvature.shape
        head = torch.from_numpy(self._head)
        place = torch.arange(0, count * memory, memory) + head
        self._pairs.flatten(0, 1)[place] = pairs
        flat = self._pairs.view(count, 2 * memory, -1)
        dots = torch.bmm(vectors, flat.mT).view(count, 2, memory, 2)
        self._update(place, dots[:, 1], learn)
        weights = self._weights(dots[:, 0])
        return torch.bmm(weights, flat).squeeze(1).add_(vectors[:, 0] * self._minus_gamma())

    def _minus_gamma(self) -> Tensor:
        return torch.from_numpy(-self.gamma).unsqueeze(1)

    def _update(self, place: Tensor, with_change: Tensor, learn: NDArray[np.bool_]) -> None:
        """Bring R^-1, Y^T Y, D and gamma up to date; with_change (B, m, 2) holds s_i^T y and y_i^T y for every i."""
        count, memory = self._curvature.shape
        new = with_change.reshape(count * memory, 2).index_select(0, place).numpy()
        curvature = new[:, 0]
        sound = curvature > 0
        reciprocal = np.where(sound, 1 / curvature, 0.0)
        np.copyto(self.gamma, curvature / new[:, 1], where=sound & learn)
        self._curvature.flatten()[place] = torch.from_numpy(curvature)
        head = torch.from_numpy(self._head).unsqueeze(1)
        others = with_change[..., 0].scatter(1, head, 0.0)
        column = torch.bmm(self._small[:, :, 0], (others * torch.from_numpy(-reciprocal).unsqueeze(1)).unsqueeze(2))
        column.squeeze(2).scatter_(1, head, torch.from_numpy(reciprocal).unsqueeze(1))
        gram = with_change[..., 1]
        row = torch.stack((torch.zeros_like(gram), gram), dim=1)
        self._small.flatten(0, 1)[place] = row
        columns = torch.cat((column, gram.unsqueeze(2)), dim=2).view(count, 2 * memory, 1)
        self._small.view(count, 2 * memory, memory).scatter_(2, head.unsqueeze(2).expand(-1, 2 * memory, 1), columns)
        self._head = np.where(learn, (self._head + 1) % memory, self._head)

    def _weights(self, along: Tensor) -> Tensor:
        """The weights (B, 1, 2m) of all s_i, y_i in -H v + gamma v, from along (B, m, 2) = (s_i^T v, y_i^T v)."""
        inverse, gram = self._small[:, :, 0], self._small[:, :, 1]
        minus_gamma = self._minus_gamma()
        alpha = torch.bmm(inverse, along[..., :1])
        bent = (torch.bmm(gram, alpha) - along[..., 1:]).squeeze(2) * minus_gamma
        alpha = alpha.squeeze(2)
        inner = bent - alpha * self._curvature
        of_steps = torch.bmm(inverse.mT, inner.unsqueeze(2)).squeeze(2)
        return torch.stack((of_steps, alpha * -minus_gamma), dim=2).view(len(along), 1, -1)
