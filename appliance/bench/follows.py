"""How long after its acknowledgement a change has reached the record, the index, the pages and the saved answers.

Each kind of change goes through a real door (FHIR, acknowledged before it is worked through, or HL7 v2 over MLLP), the
queue and the worker, while a clinician has the chart and two answers open. The clock starts at the acknowledgement. A
part has followed when it is as it has to be for the first time: typed facts and passages (record), vectors and what is
due for them (index), the chart in the web process with its caches (page), the notice beside each answer given before
(saved answers), and the same questions asked again (asked anew). The figure is the last of them.

Usage: python -m appliance.bench.follows
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final
from uuid import UUID

from appliance.bench import web_memory as web
from appliance.bench.follows_changes import AUTHORITY, Change, changes
from appliance.bench.row import Row, print_rows
from appliance.bench.whole_clinic import CLINICIAN, Sender, WholeClinic, can_run, whole_clinic
from appliance.config import ROOT, use_settings_module
from appliance.egress import on_site_client

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import httpx

    from clinical.models import Patient

TARGET: Final = "<= 5 s"
_QUESTIONS: Final = ("What is the latest potassium?", "Why was apixaban stopped?")
_LOOK_S: Final = 0.02
_PATIENCE_S: Final = 60.0
_STOP_ASKING: Final = 286  # the page's notice is grave, or the answer is gone
_TOKEN: Final = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def run() -> list[Row]:
    """Time each kind in a process over the throwaway record; [] without a Redis here."""
    if not can_run():
        return []
    with whole_clinic() as clinic:
        doors = json.dumps([clinic.people, clinic.machines, clinic.mllp_port, clinic.fhir_token])
        done = subprocess.run(
            [sys.executable, "-m", "appliance.bench.follows", "--inside"],
            env=clinic.environment,
            cwd=ROOT,
            input=doors,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return [Row(**json.loads(line)) for line in done.stdout.splitlines() if line.startswith("{")]


def _inside() -> list[Row]:
    use_settings_module()
    import django

    django.setup()
    people, machines, mllp_port, token = json.load(sys.stdin)
    clinic = WholeClinic({}, people, machines, mllp_port, token)
    with on_site_client(people, timeout_s=60) as page, clinic.fhir() as fhir:
        web.log_in(page)
        sender = Sender(mllp_port)

        def send(content: bytes) -> None:
            if content.startswith(b"MSH"):
                sender.send(content)
                return
            reply = fhir.post("/fhir", content=content, headers={"Prefer": "respond-async"})
            if reply.status_code != 202:
                raise RuntimeError(f"the FHIR door answered {reply.status_code}")

        return [_timed(change, send, page) for change in changes()]


def _timed(change: Change, send: Callable[[bytes], None], page: httpx.Client) -> Row:
    for content in change.before:
        send(content)
        _until(_settled)
    patient = _patient(change.patient)
    questions = _QUESTIONS if change.notes else _QUESTIONS[:1]
    looks = _Looks(change, patient, page, questions)
    _chart(page, patient)  # its caches are warm
    looks.saved = [_ask(page, patient, one)[0] for one in questions]
    send(change.then)
    acknowledged = time.monotonic()
    followed: dict[str, float] = {}
    while len(followed) < len(looks.parts):
        for name, look in looks.parts.items():
            if name not in followed and looks.may_be_judged(name, followed) and look():
                followed[name] = time.monotonic() - acknowledged
        if time.monotonic() - acknowledged > _PATIENCE_S:
            raise TimeoutError(f"{change.name}: {sorted(set(looks.parts) - set(followed))} did not follow")
        time.sleep(_LOOK_S)
    note = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in followed.items())
    return Row(f"follows: {change.name}", round(max(followed.values()), 2), "s", target=TARGET, note=note)


class _Looks:
    """What has to be so after a change, part by part."""

    def __init__(self, change: Change, patient: Patient, page: httpx.Client, questions: tuple[str, ...]) -> None:
        self._change, self._patient, self._page, self._questions = change, patient, page, questions
        self.saved: list[str] = []  # addresses of the answers given before
        self.parts: dict[str, Callable[[], bool]] = {
            "record": self._record,
            "index": _index,
            "page": self._chart,
            "saved answers": self._answers,
            "asked anew": self._asked,
        }

    def may_be_judged(self, part: str, followed: Collection[str]) -> bool:
        """Return whether a part counts already: none before the job is done, asking anew after all others.

        Before the job is done an index would be equal to a record that knows nothing of the change; and each question
        asked anew costs as much as a clinician's.
        """
        if part == "asked anew":
            return len(followed) == len(self.parts) - 1
        return part == "record" or "record" in followed

    def _is(self, shown: str, *, complete: bool = True) -> bool:
        here = all(word in shown for word in self._change.here) if complete else True
        return here and not any(word in shown for word in self._change.gone)

    def _record(self) -> bool:
        from django.contrib.auth.models import User
        from django.utils import timezone

        from clinical.access.services import grant_access
        from clinical.domain.projection.rows import IN_ERROR
        from clinical.record.selectors import all_passages_of, facts_of
        from ingestion.models import IngestJob

        if IngestJob.objects.exclude(state="done").exists():
            return False
        grant = grant_access(
            User.objects.get(username=CLINICIAN), self._patient.id, action="chart.view", now=timezone.now()
        )
        facts = [fact.row for fact in facts_of(grant) if fact.row.status != IN_ERROR]
        values = [str(getattr(getattr(row, "value", None), "number", "")) for row in facts]
        return self._is(" ".join([*values, *(one.text for one in all_passages_of(grant))]))

    def _chart(self) -> bool:
        shown = _chart(self._page, self._patient)
        numbers = [word for word in self._change.here if word[0].isdigit()]
        return all(word in shown for word in numbers) and self._is(shown, complete=False)

    def _answers(self) -> bool:
        from clinical.models import Answer

        ids = [UUID(address.strip("/").rpartition("/")[2]) for address in self.saved]
        told = [self._page.get(f"{address}staleness").status_code for address in self.saved]
        held = dict(Answer.objects.filter(question_id__in=ids).values_list("question_id", "stale_reason"))
        reasons = {held.get(one, "gone") for one in ids}
        wanted = set(self._change.reasons)
        if (_STOP_ASKING in told) is not self._change.notice:
            return False
        return bool(reasons & wanted) and reasons <= wanted | {""}

    def _asked(self) -> bool:
        return self._is(" ".join(_ask(self._page, self._patient, one)[1] for one in self._questions))


def _patient(name: str) -> Patient:
    from clinical.identity.services import find, find_by_fhir_id

    found = find(AUTHORITY, name) if name.isdigit() else find_by_fhir_id(name)
    if found is None:
        raise RuntimeError(f"{name} is not in the record")
    return found


def _settled() -> bool:
    from ingestion.models import IngestJob

    return not IngestJob.objects.exclude(state="done").exists() and _index()


def _index() -> bool:
    from clinical.record.index_check import compare

    found = compare()
    return found.equal and not found.due


def _until(so: Callable[[], bool]) -> None:
    limit = time.monotonic() + _PATIENCE_S
    while not so():
        if time.monotonic() > limit:
            raise TimeoutError("what was sent before did not settle")
        time.sleep(_LOOK_S)


def _chart(page: httpx.Client, patient: Patient) -> str:
    return page.get(f"/patients/{patient.id}/").raise_for_status().text


def _ask(page: httpx.Client, patient: Patient, text: str) -> tuple[str, str]:
    """Ask in the page; returns the answer's address and what it says."""
    token = _TOKEN.search(_chart(page, patient))
    form = {"question": text, "csrfmiddlewaretoken": token[1] if token else ""}
    at = page.post(f"/patients/{patient.id}/questions", data=form).headers["location"]
    return at, page.get(f"{at}events").raise_for_status().text


if __name__ == "__main__":
    print_rows(_inside() if "--inside" in sys.argv else run())
