"""One Node.js process that runs the JavaScript twins on the cases that Python has just run."""

import base64
import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np

from spoofweb import npm

SCRIPT = Path(__file__).with_name("twins.mjs")


class Twins:
    """Calls functions of twins.mjs; the process ends with the `with` block."""

    def __init__(self) -> None:
        node, _ = npm.commands()
        self.process = subprocess.Popen([node, str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> "Twins":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def call(self, name: str, case: dict) -> object:
        """What the twin gives for a case (JSON values); AssertionError where it throws or the process has ended."""
        self.process.stdin.write(json.dumps({"name": name, **case}).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"{name}: the JavaScript process has ended"
        answer = json.loads(line)
        assert "error" not in answer, f"{name}: JavaScript throws {answer.get('error')}"
        return answer.get("value")


def packed(array: np.ndarray) -> str:
    """An array's bytes as the twins take them."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def digest(array: np.ndarray) -> str:
    """SHA-256 (hex) of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def plain(value: object) -> object:
    """A value as it comes back from JSON: tuples become lists."""
    return json.loads(json.dumps(value))
