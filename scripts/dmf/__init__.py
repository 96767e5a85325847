"""The loss landscape of L2-regularized deep matrix factorization: closed forms, training, claims, report."""

__version__ = "0.1.0"
