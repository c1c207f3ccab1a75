"""The web process of the demo: a threaded server on the loopback, ended by SIGTERM."""

import argparse
import signal
from collections.abc import Sequence
from types import FrameType

from werkzeug.serving import WSGIRequestHandler, make_server

from sample_host.app import create_app


class Handler(WSGIRequestHandler):
    """Keeps connections open between requests, as browsers like it."""

    protocol_version = "HTTP/1.1"


def main(arguments: Sequence[str] | None = None) -> None:
    """Serves until SIGTERM."""
    parser = argparse.ArgumentParser(description="Serve the sample host.")
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args(arguments)
    server = make_server("127.0.0.1", chosen.port, create_app(), threaded=True, request_handler=Handler)
    signal.signal(signal.SIGTERM, leave)
    server.serve_forever()


def leave(number: int, frame: FrameType | None) -> None:
    """Ends the process from the main thread; requests under way are given up."""
    raise SystemExit(0)


if __name__ == "__main__":
    main()
