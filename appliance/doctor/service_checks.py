"""The services: queue, worker, vector service and index, model server, embedder."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from django.db import Error

from appliance.doctor.finding import not_checked, right, wrong
from appliance.doctor.limit import TooLongError, at_most
from appliance.egress import EgressDeniedError, listens
from appliance.model_server.manifest import EMBEDDER_FILES, ModelFolderError, recorded_digest, verify
from clinical.models import IndexChange
from clinical.ports import BackendUnavailableError, backends
from clinical.record.index_check import compare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from appliance.doctor.finding import Finding, Look

SWEEP: Final = "ingestion.sweep"
_REPLY_S: Final = 1.5
_LOOK_AGAIN_S: Final = 0.5
_WORKER_S: Final = 10.0  # besides two of its rounds

Stats = dict[str, dict[str, Any]]


def queue(look: Look) -> Finding:
    """Say whether the queue listens."""
    try:
        there = listens(look.settings.redis_url, timeout_s=1.0)
    except EgressDeniedError:
        there = False
    if not there:
        return wrong("queue", "Redis does not answer; nothing is lost, but work waits", look.start("redis"))
    return right("queue", "Redis answers")


def worker(look: Look, ask: Callable[[], Stats] | None = None) -> Finding:
    """Say whether a worker lives and looks at the ledger: its count of sweeps has to grow.

    Args:
        look: what is looked at.
        ask: returns what each worker says of itself; None asks over the queue.
    """
    try:
        with at_most(_WORKER_S + 2 * look.settings.sweep_s):
            return _worker(look, ask or _Asker())
    except TooLongError:
        words = "the queue takes connections and does not answer, so that no worker gets to know of any work"
        return wrong("worker", words, look.start("redis"))


def _worker(look: Look, asked: Callable[[], Stats]) -> Finding:
    try:
        if not listens(look.settings.redis_url, timeout_s=1.0):
            return not_checked("worker", "the queue does not answer")
        first = asked()
        if not first:
            return wrong("worker", "no worker answers; what comes in waits in the ledger", look.start("worker"))
        limit = time.monotonic() + 2 * look.settings.sweep_s + 1
        while sweeps(now := asked()) <= sweeps(first):
            if time.monotonic() > limit:
                words = f"it answers, but has not looked at the ledger for {2 * look.settings.sweep_s:.0f} seconds"
                return wrong("worker", words, look.start("worker"))
            time.sleep(_LOOK_AGAIN_S)
    except Exception as error:  # the queue's library has many; none of them names a patient
        return not_checked("worker", f"it cannot be asked ({type(error).__name__})")
    return right("worker", f"{len(now)} alive, {sweeps(now)} looks at the ledger so far")


def sweeps(stats: Stats) -> int:
    """Return how often all workers together have looked at the ledger since they were started."""
    return sum(int(one.get("total", {}).get(SWEEP, 0)) for one in stats.values())


class _Asker:
    """Asks all workers what they say of themselves; once they are known, it waits no longer than until they have."""

    def __init__(self) -> None:
        self._known: list[str] = []

    def __call__(self) -> Stats:
        from appliance.celery import app

        limit = {"destination": self._known, "limit": len(self._known)} if self._known else {}
        found: Stats = app.control.inspect(timeout=_REPLY_S, **limit).stats() or {}
        self._known = sorted(found)
        return found


def index(look: Look) -> Iterator[Finding]:
    """Say whether the vector service answers, and whether it holds what the record holds."""
    try:
        patients, guidelines = backends().index.held()
    except BackendUnavailableError as error:
        words = f"no answer ({error}); questions are answered from the record itself, more slowly"
        yield wrong("vector service", words, look.start("vectors"))
        yield not_checked("index", "the vector service does not answer")
        return
    yield right("vector service", f"{patients} passages of patients, {guidelines} of guidelines")
    try:
        due = IndexChange.objects.count()
        found = compare()
    except (Error, BackendUnavailableError) as error:
        yield not_checked("index", f"it could not be compared ({type(error).__name__})")
        return
    sides = f"{len(found.missing)} missing, {len(found.orphaned)} orphaned, {len(found.stale)} under another patient"
    if found.equal:
        yield right("index", f"equal to the record; {due} changes due")
    elif due:
        yield not_checked("index", f"{due} changes are due, so that it differs for the moment: {sides}")
    else:
        yield wrong("index", f"it differs from the record: {sides}", look.manage("reindex"))


def model(look: Look) -> Finding:
    """Say whether the model server serves the configured model."""
    try:
        digest = recorded_digest(look.settings.model_path)
    except ModelFolderError as error:
        mend = look.manage("model list") if look.site else "make demo"
        return wrong("model server", f"no weights are recorded ({error.code})", mend)
    if not look.settings.drafting:
        return right("model server", "drafting is switched off here; answers are facts and quotations")
    if not backends().chat.ready():
        words = "it does not answer; answers are facts and quotations meanwhile"
        return wrong("model server", words, look.start("vllm"))
    return right("model server", f"serves {look.settings.vllm_model}, weights {digest[:12]}")


def embedder(look: Look) -> Finding:
    """Say whether the embedder's files are those that were recorded."""
    try:
        digest = verify(look.settings.embedder_path, allowed=EMBEDDER_FILES)
    except ModelFolderError as error:
        mend = "run the bundle's bootstrap/continue again" if look.site else "make demo"
        return wrong("embedder", f"its files are not what was recorded ({error.code})", mend)
    return right("embedder", f"weights {digest[:12]}")
