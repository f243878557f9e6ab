"""Files written whole or not at all."""

import contextlib
import errno
import os
from pathlib import Path

from spoofweb.errors import SpoofwebError


def write_whole(files: dict[Path, bytes]) -> None:
    """Write every file beside its place, making folders where needed, then rename them all.

    Raises SpoofwebError where a write fails; what stood there before then stands there still.
    """
    beside = {path: path.with_name(path.name + ".part") for path in files}
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            beside[path].write_bytes(content)
        for path in files:
            if path.is_dir():  # seen before the first rename, so that none is done in vain
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        for path, part in beside.items():
            os.replace(part, path)
    except OSError as error:
        for part in beside.values():
            with contextlib.suppress(OSError):
                part.unlink()
        at = error.filename or path  # a write that fails names no file
        raise SpoofwebError(f"{at}: cannot be written ({error.strerror}); free space or check it") from None
