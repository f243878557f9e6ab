"""A server that keeps books on what it was asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from spoofweb import serve


@contextmanager
def counting(folder: Path, base: str = "/spoofweb/") -> Iterator[tuple[str, list[str]]]:
    """Hand out a folder while the block runs; gives the URL and the list of paths below it that were asked for."""
    asked = []

    def log_request(handler, code="-", size="-"):
        asked.append(handler.path.removeprefix(base))

    with patch.object(serve._Handler, "log_request", log_request), serve.serving(folder, base=base) as url:
        yield url, asked
