"""SHA-256 of bytes and files."""

import hashlib
from pathlib import Path

from spoofweb.errors import SpoofwebError


def sha256(source: bytes | Path) -> str:
    """SHA-256 (hex) of bytes or of a file's bytes; SpoofwebError where the file cannot be read."""
    if isinstance(source, Path):
        try:
            source = source.read_bytes()
        except OSError as error:
            raise SpoofwebError(f"{source}: cannot be read ({error.strerror}); check the path") from None
    return hashlib.sha256(source).hexdigest()
