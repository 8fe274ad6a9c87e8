"""Best of n: draw n, keep the one that a score likes most. What comes out is known exactly.

The formulas are those of Stiennon et al. (2020), https://arxiv.org/abs/2009.01325, and Nakano et
al. (2021), https://arxiv.org/abs/2112.09332.
"""

import math

import torch
from torch import Tensor


def best_of_kl(n: int) -> float:
    """The KL divergence of best-of-n from what it chooses from, in nats, if no scores are equal."""
    if n < 1:
        raise ValueError(f"the best of {n}: there should be at least 1")
    return math.log(n) - (n - 1) / n


def best_of_mean(scores: Tensor, values: Tensor, n: int) -> float:
    """The expected value of the best-scored of n that are drawn from a pool.  (N,), (N,)

    Exact: the i-th lowest of N is the best in C(i - 1, n - 1) of all C(N, n) draws.
    Raises ValueError if the pool is smaller than n, or has another number of values.
    """
    N = len(scores)
    if not 1 <= n <= N or scores.shape != values.shape:
        raise ValueError(f"the best of {n} from {N} scores and {len(values)} values")
    lower = torch.arange(N, dtype=torch.float64)  # how many stand below
    ways = (lower + 1).lgamma() - (lower - n + 2).clamp(min=1).lgamma()
    shares = torch.where(lower >= n - 1, ways, -math.inf).softmax(dim=0)
    return float((shares * values[scores.argsort(stable=True)].double()).sum())
