"""Where the medium lies before the sensor: a homography with a slight curl, drawn so that the face stays in view."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from training.simulate.pictures import Face


@dataclass(frozen=True)
class Pose:
    """A plane seen by the sensor. Its units are px of the picture that lies on it, so face size carries over.

    `to_sensor` is a 3x3 homography; `bend` = (bow, squeeze) curls the plane about a vertical axis through the
    `face`, in shares of `reach` px; `face` is the box on the plane.
    """

    width: int
    height: int
    face: Face
    to_sensor: np.ndarray
    bend: tuple[float, float] = (0.0, 0.0)

    @property
    def reach(self) -> float:
        return 1.5 * self.face[2]

    @property
    def centre(self) -> tuple[float, float]:
        x, y, side = self.face
        return x + side / 2, y + side / 2

    def plane(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sensor coordinates (px, edges at integers) → plane coordinates."""
        m = np.linalg.inv(self.to_sensor)
        m = (m / m[2, 2]).astype(x.dtype)
        w = m[2, 0] * x + m[2, 1] * y + 1
        u = (m[0, 0] * x + m[0, 1] * y + m[0, 2]) / w
        v = (m[1, 0] * x + m[1, 1] * y + m[1, 2]) / w
        bow, squeeze = self.bend
        if bow or squeeze:
            t = self.across(u)
            u, v = u + squeeze * self.reach * t**3, v + bow * self.reach * t**2
        return u, v

    def across(self, u: np.ndarray) -> np.ndarray:
        """Distance from the curl's axis in shares of `reach`, limited to where the curl stays one-to-one."""
        return np.clip((u - self.centre[0]) / self.reach, -2, 2)

    def pixels(self) -> tuple[np.ndarray, np.ndarray]:
        """Plane coordinates (u, v) of every pixel centre, float32 (H, W)."""
        y, x = np.mgrid[0 : self.height, 0 : self.width].astype(np.float32) + np.float32(0.5)
        return self.plane(x, y)

    def points(self, uv: np.ndarray) -> np.ndarray:
        """Plane points (N, 2) → sensor points (N, 2); the curl is left out, it is nil at the face."""
        mapped = np.column_stack([uv, np.ones(len(uv))]) @ self.to_sensor.T
        return mapped[:, :2] / mapped[:, 2:]

    def nodes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """A coarse grid over the sensor, edges included: xs, ys and the plane coordinates there."""
        xs = np.unique(np.linspace(0, self.width, 13).round())
        ys = np.unique(np.linspace(0, self.height, 13).round())
        u, v = self.plane(*np.meshgrid(xs, ys))
        return xs, ys, u, v

    def sensor_face(self) -> Face:
        """The face's place in the sensor's picture: a square of the same area about the mapped centre."""
        x, y, side = self.face
        corners = self.points(np.array([(x, y), (x + side, y), (x + side, y + side), (x, y + side)]))
        following = np.roll(corners, -1, axis=0)
        area = abs(np.sum(corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0])) / 2
        cx, cy = self.points(np.array([self.centre]))[0]
        mapped = math.sqrt(area)
        return float(cx - mapped / 2), float(cy - mapped / 2), float(mapped)

    def sample(self, picture: np.ndarray, outside: tuple[int, int, int] | None = None) -> np.ndarray:
        """The picture on the plane as the sensor sees it, uint8 (height, width, 3), bicubic.

        `outside` is the colour beyond the picture; None where the pose shows no beyond.
        """
        xs, ys, u, v = self.nodes()
        mesh, rim = [], 0 if outside is None else 4
        for i in range(len(ys) - 1):
            for j in range(len(xs) - 1):
                box = (int(xs[j]), int(ys[i]), int(xs[j + 1]), int(ys[i + 1]))
                quad = [(u[a, b], v[a, b]) for a, b in ((i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1))]
                mesh.append((box, tuple(float(c) + rim for point in quad for c in point)))
        # A rim in the outer colour lets the picture's end be interpolated too: a bare end comes out jagged.
        warped = ImageOps.expand(Image.fromarray(picture), rim, outside or 0).transform(
            (self.width, self.height),
            Image.Transform.MESH,
            mesh,
            Image.Resampling.BICUBIC,
            fillcolor=outside or (0, 0, 0),
        )
        return np.asarray(warped)


def _inside(face: Face, width: float, height: float, slack: float = 0.0) -> bool:
    """Whether the box lies in a frame of this size, give or take `slack` px."""
    x, y, side = face
    return x >= -slack and y >= -slack and x + side <= width + slack and y + side <= height + slack


def _still_point(low: float, side: float, length: float) -> float:
    """The fixed point of a zoom that keeps a box's two margins in proportion, so the box stays inside."""
    return length * low / (length - side) if 0 <= low and low + side < length else low + side / 2


def drawn_pose(
    width: int,
    height: int,
    plane: tuple[int, int],
    face: Face,
    rng: np.random.Generator,
    *,
    fill: bool,
    tilt: float,
    turn: float,
    bend: tuple[float, float] = (0.0, 0.0),
) -> Pose:
    """Draws a view of a picture of size `plane` in a sensor of width x height.

    `fill`: the picture covers the sensor wholly. A drawn pose that shows the picture's end then, or that
    drives a face out of the frame, is eased step by step until it does not; with none left it is frontal.
    """
    angle, px, py = math.radians(rng.normal(0, turn)), *rng.normal(0, tilt, 2)
    zoom = rng.uniform(1.02, 1.2) if fill else rng.uniform(0.92, 1.05)
    shift = rng.normal(0, 0.0 if fill else 0.03, 2) * (width, height)
    still = np.array([_still_point(face[0], face[2], plane[0]), _still_point(face[1], face[2], plane[1])])
    # A plane smaller than the sensor is centred in it as far as the face allows.
    home = still * (width / plane[0], height / plane[1])
    was_inside = _inside(face, *plane)
    for ease in (1.0, 0.6, 0.3, 0.1, 0.0):
        cos, sin = math.cos(angle * ease), math.sin(angle * ease)
        scale = 1 + (zoom - 1) * (ease if not fill else math.sqrt(ease))
        turn_scale = np.array([[cos * scale, -sin * scale, 0], [sin * scale, cos * scale, 0], [0, 0, 1]])
        lean = np.array([[1, 0, 0], [0, 1, 0], [px * ease / width, py * ease / height, 1]])
        to_still, back = np.eye(3), np.eye(3)
        to_still[:2, 2] = -still
        back[:2, 2] = home + shift * ease
        pose = Pose(width, height, face, back @ lean @ turn_scale @ to_still, (bend[0] * ease, bend[1] * ease))
        if was_inside and not _inside(pose.sensor_face(), width, height, 1e-6):
            continue
        if fill:
            _, _, u, v = pose.nodes()
            if u.min() < 0 or v.min() < 0 or u.max() > plane[0] or v.max() > plane[1]:
                continue
        return pose
    return pose
