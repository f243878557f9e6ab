"""Video files for tests, encoded by PyAV: grey frames that tell their number, sound only, turned, damaged."""

import io
import struct
from fractions import Fraction

import av
import numpy as np

FAST = {"cpu-used": "8", "deadline": "realtime"}
TIMES = [100 * i for i in range(12)]


def grey(number: int) -> int:
    """The grey level, 0..255, by which a frame of `greys` tells its number."""
    return 40 + 14 * number


def greys(count: int = len(TIMES), width: int = 64, height: int = 48) -> list[np.ndarray]:
    """Frames of one grey each, uint8 [H, W, 3]."""
    return [np.full((height, width, 3), grey(number), np.uint8) for number in range(count)]


def noises(count: int) -> list[np.ndarray]:
    """Frames that do not compress, uint8 [96, 128, 3]."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (96, 128, 3), dtype=np.uint8) for _ in range(count)]


def video(frames: list[np.ndarray], times_ms: list[int], kind: str = "webm", codec: str = "libvpx", **muxer) -> bytes:
    """A file of frames (uint8 [H, W, 3], at least one) that are shown from these times on."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind, options={name: str(value) for name, value in muxer.items()}) as container:
        stream = container.add_stream(codec, rate=10, options=FAST if codec.startswith("libvpx") else {})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for pixels, time_ms in zip(frames, times_ms, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def empty(kind: str, codec: str) -> bytes:
    """A file with a picture track and not one picture in it."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    return file.getvalue()


def sound() -> bytes:
    """A second of silence in WebM."""
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as container:
        stream = container.add_stream("libopus", rate=48000)
        stream.layout = "mono"
        for number in range(50):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts = 48000, number * 960
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def corners(quarters: int) -> np.ndarray:
    """uint8 [64, 96, 3], or [96, 64, 3] when turned: dark but for one bright corner, then turned counter-clockwise."""
    frame = np.full((64, 96, 3), 40, np.uint8)
    frame[:32, :48] = 200
    return np.rot90(frame, quarters).copy()


def turned(mp4: bytes, quarters: int) -> bytes:
    """An MP4 that asks to be shown turned by quarters counter-clockwise, in its track header's matrix."""
    matrix_at = mp4.index(b"tkhd") + 44
    cos, sin = [(1, 0), (0, 1), (-1, 0), (0, -1)][quarters]
    matrix = struct.pack(">9i", cos << 16, -sin << 16, 0, sin << 16, cos << 16, 0, 0, 0, 1 << 30)
    return mp4[:matrix_at] + matrix + mp4[matrix_at + len(matrix) :]


def spoilt(content: bytes) -> bytes:
    """A file whose middle third was overwritten."""
    third = len(content) // 3
    return content[:third] + bytes(37 * i % 256 for i in range(third)) + content[2 * third :]
