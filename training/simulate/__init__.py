"""Turns a live picture into an attack presentation of the same scene: only the medium differs.

Person, room and face size stay, so a network trained on the pair has to look at the medium. (But a mask is worn in
another live picture, and a portrait held in one: there all but the face is bona fide.) The order is
physical: the medium (panel or print) gives off light, surroundings and hand lie around it, then one camera
takes the picture. Live pictures go through it too (`recapture_live`), so that "processed" tells nothing.

Pictures are uint8 arrays of shape (H, W, 3), RGB; a face is (x, y, side) in px, a square box that may reach
over the picture's edge. All but the command are pure functions of their arguments and the generator's state.
"""

from training.simulate.camera import camera
from training.simulate.mask import simulate_mask
from training.simulate.paper import simulate_print
from training.simulate.portrait import simulate_portrait
from training.simulate.presentation import present, present_pair, recapture_live, simulate
from training.simulate.screen import simulate_screen

__all__ = [
    "camera",
    "present",
    "present_pair",
    "recapture_live",
    "simulate",
    "simulate_mask",
    "simulate_portrait",
    "simulate_print",
    "simulate_screen",
]
