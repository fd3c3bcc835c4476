"""The vector service under systemd's watchdog: `python -m appliance.processes.watched_vectors --data ...`."""

from __future__ import annotations

from appliance.processes.watchdog import Watchdog
from appliance.vector_service.__main__ import main


class Turns:
    """An entry of waitress's loop that never has anything to read or write: the loop asks it each time it turns."""

    accepting = False

    def __init__(self, turned: Watchdog) -> None:
        self._turned = turned

    def readable(self) -> bool:
        """Tell that the loop has turned."""
        self._turned()
        return False

    def writable(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """Nothing is held."""


if __name__ == "__main__":
    main({-1: Turns(Watchdog())})
