"""Senders that give no message up: each is sent again until it is acknowledged, however often the door dies."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.config import ROOT
from ingestion.domain.v2.frames import Deframer, frame
from tests.faults.storm.clinic import HEADER, SECRET, TOKEN
from tests.faults.storm.letters import DOORS, Letter
from tests.unit.mllp_sender import code_of, field

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from tests.faults.storm.clinic import Clinic

THREADS = {"mllp": 4, "fhir": 2, "subscription": 1, "ingest": 1}
_IN_A_FOLDER = 150
_PATIENCE_S = 15


class RefusedForGoodError(AssertionError):
    """A door refused what it has to take."""


class Senders:
    """All threads of all doors. `acknowledged` counts deliveries; `by_door` those of each."""

    def __init__(self, clinic: Clinic, letters: Sequence[Letter], chance: random.Random) -> None:
        self.clinic = clinic
        self.acknowledged, self.again = 0, 0
        self.by_door: Counter[str] = Counter()
        self.fault: BaseException | None = None
        self._lock, self._stopping = threading.Lock(), threading.Event()
        self._threads = []
        for door in DOORS:
            due = [one for one in letters if one.door == door for _ in range(one.copies)]
            chance.shuffle(due)
            for number in range(THREADS[door]):
                share = due[number :: THREADS[door]]
                self._threads.append(threading.Thread(target=self._run, args=(door, number, share), daemon=True))

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    @property
    def busy(self) -> bool:
        """Whether any has something left to send."""
        return any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """End, whatever is left."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self, door: str, number: int, due: list[Letter]) -> None:
        try:
            if door == "ingest":
                self._hand_in(due)
                return
            sender = Mllp(self.clinic) if door == "mllp" else Http(self.clinic, door)
            for letter in due:
                while not self._stopping.is_set() and not sender.send(letter):
                    with self._lock:
                        self.again += 1
                    time.sleep(0.1)
                if self._stopping.is_set():
                    break
                self._note(door)
            sender.close()
        except BaseException as error:
            self.fault = error

    def _note(self, door: str, count: int = 1) -> None:
        with self._lock:
            self.acknowledged += count
            self.by_door[door] += count

    def _hand_in(self, due: list[Letter]) -> None:
        """Give files to the ingest command, a folder at a time; it is acknowledged when the command says so."""
        for start in range(0, len(due), _IN_A_FOLDER):
            share = due[start : start + _IN_A_FOLDER]
            folder = self.clinic.folder / "in" / str(start)
            folder.mkdir(parents=True)
            for number, letter in enumerate(share):
                (folder / f"{number}.json").write_bytes(letter.content)
            command = self.clinic.program("manage.py", "ingest", str(folder))
            while not self._stopping.is_set():
                with (self.clinic.folder / "log" / "ingest.log").open("ab") as log:
                    done = subprocess.run(
                        command, cwd=ROOT, env=self.clinic.child_environment(), stdout=log, stderr=log, check=False
                    )
                if not done.returncode:
                    self._note("ingest", len(share))
                    break
                with self._lock:
                    self.again += 1
                time.sleep(0.5)


class Mllp:
    """One connection to the HL7 v2 door, made anew when it breaks."""

    def __init__(self, clinic: Clinic) -> None:
        self._port, self._frames = clinic.mllp_port, Deframer()
        self._socket: socket.socket | None = None

    def send(self, letter: Letter) -> bool:
        """Return whether it was accepted.

        Raises:
            RefusedForGoodError: AR, or an acknowledgement of another message.
        """
        try:
            reply = self._exchange(letter.content)
        except OSError:
            self.close()
            return False
        control = letter.content.split(b"|", 10)[9].decode()
        if code_of(reply) == "AR" or field(reply, "MSA", 2) != control:
            raise RefusedForGoodError(reply)
        return code_of(reply) == "AA"

    def close(self) -> None:
        """Let go."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _exchange(self, raw: bytes) -> str:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=_PATIENCE_S)
            self._frames = Deframer()
        self._socket.sendall(frame(raw))
        while True:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError
            if found := self._frames.feed(data):
                return found[0].decode()


class Http:
    """One client of the FHIR door, or the sender of a subscription."""

    def __init__(self, clinic: Clinic, door: str) -> None:
        self._door, self._port = door, clinic.machine_port
        self._client: http.client.HTTPConnection | None = None

    def send(self, letter: Letter) -> bool:
        """Return whether it was accepted.

        Raises:
            RefusedForGoodError: a status in the 400s.
        """
        if self._door == "fhir":
            return self._exchange("PUT", f"/fhir/{letter.identity}", letter.content)
        return self._exchange("POST", "/fhir/subscription/storm", letter.content)

    def exchange(self, method: str, path: str, resource: dict[str, Any]) -> bool:
        """Send a resource and return whether it was accepted; as `send`."""
        return self._exchange(method, path, json.dumps(resource).encode() if method != "DELETE" else b"")

    def _exchange(self, method: str, path: str, content: bytes) -> bool:
        secret = ("Authorization", f"Bearer {TOKEN}") if self._door == "fhir" else (HEADER, SECRET)
        headers = dict([("Content-Type", "application/fhir+json"), secret])
        try:
            if self._client is None:
                self._client = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE_S)
            self._client.request(method, path, content, headers)
            response = self._client.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return False
        if 400 <= response.status < 500:
            raise RefusedForGoodError(f"{response.status} {body[:300]!r}")
        return response.status < 300

    def close(self) -> None:
        """Let go."""
        if self._client is not None:
            self._client.close()
        self._client = None


def write_down(letters: Sequence[Letter], path: Path) -> None:
    """Write the messages where the verdict reads them."""
    with path.open("w") as file:
        for one in letters:
            row = {"door": one.door, "becomes": one.becomes, "content": one.content.decode()}
            file.write(json.dumps(row) + "\n")
