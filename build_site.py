"""Build the site: checkpoint → ONNX → verified → web/dist, and serve it.

Run:  python build_site.py [--out DIR] [--model FILE] [--serve [PORT]] [--base PATH]

Torch is needed only where the exported file is out of date. The first build takes the locked npm packages.
"""

import argparse
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

from spoofweb import detector, npm, serve, site, trained
from spoofweb.errors import SpoofwebError
from spoofweb.graphs import WEB

PORT = 8000


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    options = parse(arguments)
    try:
        with ExitStack() as stack:
            server = None
            if options.serve is not None:  # a port in use is said before the work, not after
                server = stack.enter_context(serve.open_server(options.out, options.serve, options.base))
            build(options.out, options.model)
            if server:
                say(f"serving it at {serve.address(server, options.base)} (stop with Ctrl-C)")
                with suppress(KeyboardInterrupt):
                    server.serve_forever()
            else:
                say("to serve it: python build_site.py --serve, or any static web server with HTTPS")
    except SpoofwebError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line; exit status 2 where it makes no sense."""
    parser = argparse.ArgumentParser(description="Build the site and, if asked, serve it on this machine.")
    parser.add_argument("--out", type=Path, default=WEB / "dist", metavar="DIR", help="where the site goes (web/dist)")
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="another network: a .onnx file, used as it is, or a .safetensors checkpoint, exported (needs torch); "
        "threshold and error rates come from a card.json beside it",
    )
    parser.add_argument(
        "--serve", type=_port, nargs="?", const=PORT, metavar="PORT", help=f"serve the site afterwards (port {PORT})"
    )
    parser.add_argument(
        "--base",
        type=_base,
        default="/",
        metavar="PATH",
        help="path below which --serve puts the site, e.g. /spoofweb/ as on project pages; all URLs of the site are "
        "relative, so the built files are the same for every path",
    )
    return parser.parse_args(arguments)


def build(out: Path, model: Path | None) -> None:
    """Build the site into a folder and say what was built."""
    network = trained.given(model, say) if model else trained.committed(say)
    node_modules = npm.install(WEB)
    files = site.render(site.Parts(WEB, node_modules, network, detector.build(node_modules)))
    site.write(files, out)
    megabytes = sum(map(len, files.values())) / 1e6
    say(f"{out}: the site, {len(files)} files, {megabytes:.1f} MB")


def say(text: str) -> None:
    print(text, flush=True)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{port} is no port; give one between 0 and 65535")
    return port


def _base(text: str) -> str:
    try:
        return serve.base_path(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
