"""Command line of the embedded vector service."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import waitress

from appliance.config import config
from appliance.vector_service.app import MAX_BODY, Application
from appliance.vector_service.folder import Folder, FolderInUseError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

THREADS = 8
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _listening(listen: str, socket_mode: str) -> dict[str, str]:
    """Return waitress's options for `HOST:PORT` (loopback only) or `unix:PATH`."""
    if listen.startswith("unix:"):
        return {"unix_socket": listen.removeprefix("unix:"), "unix_socket_perms": socket_mode}
    host = listen.rpartition(":")[0].strip("[]")
    if host not in LOOPBACK:
        raise SystemExit(f"{host} is not loopback; the vector service is reached from this machine only")
    return {"listen": listen}


def main(in_the_loop: Mapping[int, object] | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C, then flush and leave.

    Args:
        in_the_loop: what waitress's loop asks besides its sockets, each under a negative number.
    """
    parser = argparse.ArgumentParser(prog="python -m appliance.vector_service", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the collections")
    parser.add_argument("--listen", default="127.0.0.1:6335", help="HOST:PORT on loopback, or unix:PATH")
    parser.add_argument("--socket-mode", choices=("600", "660"), default="600", help="660: the socket's group may come")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    listening = _listening(options.listen, options.socket_mode)
    try:
        folder = Folder(options.data)
    except FolderInUseError as error:
        sys.exit(str(error))
    for name in folder.recreated:
        logging.getLogger(__name__).error("collection %s did not load and was recreated empty: reindex", name)
    signal.signal(signal.SIGTERM, _stop)
    try:
        waitress.serve(
            Application(folder, config().secret("vector_api_key")),
            **listening,
            map=dict(in_the_loop or {}),
            threads=THREADS,
            ident=None,
            recv_bytes=2**20,
            max_request_body_size=MAX_BODY,
            inbuf_overflow=MAX_BODY + 1,  # bodies stay in memory: vectors are not written to temporary files
            outbuf_overflow=MAX_BODY,
            clear_untrusted_proxy_headers=True,
        )
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        folder.close()


if __name__ == "__main__":
    main()
