"""Random draws that the media and the camera share; each takes the generator and advances it."""

import math

import numpy as np


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Uniform in the logarithm between two positive numbers."""
    return float(np.exp(rng.uniform(math.log(low), math.log(high))))


def chance(rng: np.random.Generator, probability: float) -> bool:
    """True with this probability, 0..1."""
    return bool(rng.random() < probability)


def pick(rng: np.random.Generator, *options: float) -> float:
    """One of the options; a plain float, as a NumPy one would turn whole float32 pictures into float64."""
    return float(options[rng.integers(len(options))])
