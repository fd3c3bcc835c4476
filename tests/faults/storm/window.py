"""Run as a program inside the box: asks questions and looks at the record, a line of JSON for each line of JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import IO, TYPE_CHECKING, Any

from appliance.config import ROOT

if TYPE_CHECKING:
    from tests.faults.storm.clinic import Clinic


class Window:
    """The other end: a process of the box that stays, so that a look costs no start."""

    def __init__(self, clinic: Clinic) -> None:
        with (clinic.folder / "log" / "window.log").open("ab") as log:
            self._process = subprocess.Popen(
                clinic.program("-m", "tests.faults.storm.window"), cwd=ROOT, env=clinic.child_environment(),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._pipe("stdin").close()
        self._process.wait(30)
        self._pipe("stdout").close()

    def ask(self, kind: str, logical_id: str, question: str) -> dict[str, Any]:
        """Ask about whoever this resource belongs to; returns "question", "status" and "citations"."""
        return self._say({"do": "ask", "kind": kind, "id": logical_id, "words": question})

    def look(self, kind: str, logical_id: str, question: str = "") -> dict[str, Any]:
        """Return what the record, the index and the saved answer say of a resource."""
        return self._say({"do": "look", "kind": kind, "id": logical_id, "question": question})

    def _say(self, asked: dict[str, Any]) -> dict[str, Any]:
        stdin = self._pipe("stdin")
        stdin.write(json.dumps(asked) + "\n")
        stdin.flush()
        found: dict[str, Any] = json.loads(self._pipe("stdout").readline())
        return found

    def _pipe(self, name: str) -> IO[str]:
        pipe: IO[str] = getattr(self._process, name)
        return pipe


def _ask(kind: str, logical_id: str, words: str) -> dict[str, Any]:
    from django.contrib.auth.models import Group, User
    from django.utils import timezone

    from clinical.answering import stored
    from clinical.answering.services import ask, events
    from clinical.models import AnswerCitation

    user, _ = User.objects.get_or_create(username="demo-clinician")
    user.groups.add(Group.objects.get_or_create(name="clinician")[0])
    row = _current(kind, logical_id)
    if row is None or row.patient_id is None:
        return {"status": "nobody"}
    question = ask(user, row.patient_id, words, clock=timezone.now)
    status = stored.as_json(events(question.id, user, clock=timezone.now))["status"]
    cited = AnswerCitation.objects.filter(answer__question=question).count()
    return {"question": str(question.id), "status": status, "citations": cited}


def _look(kind: str, logical_id: str, question: str) -> dict[str, Any]:
    from clinical.models import Answer, FactRow, PassageRow
    from clinical.ports import BackendUnavailableError, backends
    from clinical.record.selectors import content_of

    row = _current(kind, logical_id)
    if row is None:
        return {"number": 0}
    passages = PassageRow.objects.filter(version__resource_type=kind, version__logical_id=logical_id)
    try:
        points = {str(one): str(tenant) for one, tenant in backends().index.passage_ids()}
    except BackendUnavailableError:
        points = {"unavailable": ""}
    answer = Answer.objects.filter(question_id=question).first() if question else None
    return {
        "number": row.number,
        "status": row.status,
        "deleted": row.deleted,
        "patient": str(row.patient_id),
        "content": {} if row.deleted else json.loads(content_of(row)),
        "facts": FactRow.objects.filter(version__resource_type=kind, version__logical_id=logical_id).count(),
        "passages": [str(one) for one in passages.values_list("id", flat=True)],
        "points": points,
        "stale": answer.stale_reason if answer else "",
    }


def _current(kind: str, logical_id: str) -> Any:
    from clinical.models import ResourceVersion

    rows = ResourceVersion.objects.filter(resource_type=kind, logical_id=logical_id, is_current=True)
    return rows.select_related("patient__data_key").first()


if __name__ == "__main__":
    from appliance.config import use_settings_module

    use_settings_module()
    import django

    django.setup()
    for line in sys.stdin:
        given = json.loads(line)
        if given["do"] == "ask":
            answer = _ask(given["kind"], given["id"], given["words"])
        else:
            answer = _look(given["kind"], given["id"], given["question"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
