"""Paths between minimizers: along orthogonal maps within a component, and over the lowest pass between two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.linalg

from dmf.studies._derivatives import Floats
from dmf.studies._newton import FLAT, Smooth, hessians

IMAGES = 25  # of a string
RELAXATIONS = 600
POLISHING = 30  # Newton steps from the highest image to the pass


class Pass(NamedTuple):
    """A critical point over which a string goes: its value, gradient norm and number of negative eigenvalues."""

    value: float
    gradient_norm: float
    negative: int
    smallest: float
    """eigenvalue in modulus, but for zeros"""
    string: Floats
    """values at the images"""


def joining(one: Sequence[Floats], other: Sequence[Floats], right: Floats) -> list[Floats] | None:
    """Rotations Q_1, ..., Q_{L-1} (d_l, d_l) that take balanced layers to others of the same product, if any do.

    `right` (d_0, r) are the right singular vectors of the product. Where r directions fill a hidden layer its map is
    determined, and None where that is a reflection; elsewhere a spare direction may be reflected as well.
    """
    found = []
    ahead, behind = right, right
    for layer, partner in zip(one[:-1], other[:-1], strict=True):
        ahead, behind = _polar(layer @ ahead), _polar(partner @ behind)
        start, end = _completed(ahead), _completed(behind)
        turn = end @ start.T
        if np.linalg.det(turn) < 0:
            if ahead.shape[0] == ahead.shape[1]:
                return None
            end[:, -1] *= -1
            turn = end @ start.T
        found.append(turn)
    return found


def turned(layers: Sequence[Floats], rotations: Sequence[Floats], parts: Sequence[float]) -> list[list[Floats]]:
    """The layers turned by each part of the rotations' angles."""
    angles = [np.real(scipy.linalg.logm(rotation)) for rotation in rotations]
    paths = []
    for part in parts:
        frames = [np.eye(layers[0].shape[1]), *(scipy.linalg.expm(part * angle) for angle in angles)]
        frames.append(np.eye(layers[-1].shape[0]))
        paths.append([frames[place + 1] @ layer @ frames[place].T for place, layer in enumerate(layers)])
    return paths


def lowest_pass(function: Smooth, ends: tuple[Floats, Floats], bulge: Floats, step: float) -> Pass:
    """Relax a string between two minimizers (N,), and find the critical point at its highest image.

    The string begins as the straight line, pushed aside by `bulge` (N,); its images descend by `step` and are spread
    evenly along it again (E, Ren and Vanden-Eijnden 2007).
    """
    t = np.linspace(0, 1, IMAGES)[:, None]
    string = (1 - t) * ends[0] + t * ends[1] + np.sin(np.pi * t) * bulge
    for _ in range(RELAXATIONS):
        string = string - step * np.asarray(function.gradients(string))
        length = np.append(0, np.cumsum(np.linalg.norm(np.diff(string, axis=0), axis=1)))
        even = np.linspace(0, length[-1], IMAGES)
        before = np.clip(np.searchsorted(length, even, side="right") - 1, 0, IMAGES - 2)
        part = ((even - length[before]) / np.diff(length)[before])[:, None]
        string = (1 - part) * string[before] + part * string[before + 1]
    values = function.values(string)
    point = string[values.argmax()][None]
    for _ in range(POLISHING):
        curvature, axes = np.linalg.eigh(hessians(function, point)[0])
        along = np.asarray(function.gradients(point))[0] @ axes
        some = abs(curvature) > FLAT * abs(curvature).max()
        point = point - np.where(some, along / np.where(some, curvature, 1.0), 0.0) @ axes.T
    curvature = np.linalg.eigvalsh(hessians(function, point)[0])
    some = curvature[abs(curvature) > FLAT * abs(curvature).max()]
    return Pass(
        float(function.values(point)[0]),
        float(np.linalg.norm(function.gradients(point))),
        int((some < 0).sum()),
        float(abs(some).min()),
        values,
    )


def _completed(frame: Floats) -> Floats:
    """An orthogonal matrix (d, d) whose first columns are the frame (d, r)."""
    rest = scipy.linalg.null_space(frame.T)
    return np.hstack([frame, rest])


def _polar(matrix: Floats) -> Floats:
    left, _, right_t = np.linalg.svd(matrix, full_matrices=False)
    return np.asarray(left @ right_t)
