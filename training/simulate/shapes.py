"""Signed distances to the outlines of media, in px, and the soft edges made of them."""

import numpy as np

Rect = tuple[float, float, float, float]


def rounded_distance(u: np.ndarray, v: np.ndarray, rect: Rect, radius: float) -> np.ndarray:
    """Signed distance to a rectangle with rounded corners, px, negative inside."""
    u0, v0, u1, v1 = rect
    radius = max(0.0, min(radius, (u1 - u0) / 2, (v1 - v0) / 2))
    qu = np.abs(u - (u0 + u1) / 2) - ((u1 - u0) / 2 - radius)
    qv = np.abs(v - (v0 + v1) / 2) - ((v1 - v0) / 2 - radius)
    return np.hypot(np.maximum(qu, 0), np.maximum(qv, 0)) + np.minimum(np.maximum(qu, qv), 0) - radius


def ellipse_distance(u: np.ndarray, v: np.ndarray, centre: tuple[float, float], ru: float, rv: float) -> np.ndarray:
    """Approximate signed distance to an ellipse, px, negative inside."""
    return (np.hypot((u - centre[0]) / ru, (v - centre[1]) / rv) - 1) * min(ru, rv)


def coverage(distance: np.ndarray, softness: float) -> np.ndarray:
    """Signed distance → coverage in 0..1, shape (H, W, 1), with an edge `softness` px wide."""
    return np.clip(0.5 - distance / np.float32(softness), 0, 1)[..., None]
