"""Ask about one patient on the command line, by the same path as the web page."""

from __future__ import annotations

import getpass
import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NoReturn
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinical.answering import stored
from clinical.answering.services import QuestionRefusedError, ask, events
from clinical.audit import trail
from clinical.domain.access import AccessDeniedError
from clinical.domain.visible import escaped_in_json, visible
from clinical.identity.services import UnassignedError, find_by_fhir_id
from clinical.models import Patient

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

REFUSED: Final = 3  # exit code of a question that was not taken


class Command(BaseCommand):
    """`manage.py ask --patient ID --as USER "question"`."""

    help = "Ask about one patient; the same grant, audit and gate as the web page."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--patient", required=True, help="FHIR Patient.id")
        parser.add_argument("--as", dest="user", required=True, help="login name to act as")
        parser.add_argument("--json", action="store_true", help="print the answer as JSON")
        parser.add_argument("--break-glass", default="", help="reason; needed on a site")
        parser.add_argument("question")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Ask and print."""
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"no user {options['user']!r}")
        patient = patient_named(options["patient"])
        check_profile(options["break_glass"])
        audit_id = record_command("ask", str(patient.id), user.username, options["break_glass"])
        try:
            # What a terminal passes on need not be text; what is not becomes "?".
            words = os.fsencode(options["question"]).decode(errors="replace")
            question = ask(user, patient.id, words, clock=timezone.now)
            result = stored.as_json(events(question.id, user, clock=timezone.now))
        except AccessDeniedError as denial:
            self._refuse(denial.reason, denial.audit_id or audit_id, as_json=options["json"])
        except QuestionRefusedError as refusal:
            self._refuse(refusal.reason, audit_id, as_json=options["json"])
        self.stdout.write(as_text(result) if options["json"] else plain(result))

    def _refuse(self, reason: str, audit_id: UUID, *, as_json: bool) -> NoReturn:
        """Print the refusal in the `ask` shape if asked for, and end with exit code 3.

        Raises:
            CommandError: always; it names the reason and the row of the trail.
        """
        if as_json:
            refused = {"status": "refused", "reason": reason, "audit_id": str(audit_id)}
            self.stdout.write(as_text(stored.as_json([]) | refused))
        raise CommandError(f"refused: {reason} (audit row {audit_id})", returncode=REFUSED) from None


def patient_named(logical_id: str) -> Patient:
    """Return the patient with this FHIR Patient.id, or with the opaque id that audit rows and receipts show.

    Raises:
        CommandError: unknown, or used by two servers.
    """
    try:
        patient = find_by_fhir_id(logical_id)
    except UnassignedError as error:
        raise CommandError(f"Patient.id {logical_id!r}: {error.reason}") from None
    if patient is None:
        with suppress(ValueError):
            patient = Patient.objects.select_related("data_key").filter(id=UUID(logical_id)).first()
    if patient is None:
        raise CommandError(f"no patient with Patient.id {logical_id!r}")
    return patient


def check_profile(break_glass: str) -> None:
    """Refuse to print patient text on a site without a reason.

    Raises:
        CommandError: a site, and no reason was given.
    """
    if settings.CLINICAL_PROFILE == "site" and not break_glass:
        raise CommandError("this prints patient text: on a site give --break-glass REASON; it is audited")


def record_command(name: str, patient_id: str, user_id: str, break_glass: str) -> UUID:
    """Write the operating-system user and whom he acts as to the trail; returns the row's id."""
    return trail.append(
        trail.Entry(
            action=f"command.{name}",
            outcome="STARTED",
            user_id=f"os:{getpass.getuser()}",
            on_behalf_of=user_id,
            patient_id=patient_id,
            detail={"break_glass": bool(break_glass)},
        ),
        now=timezone.now(),
    )


def as_text(result: dict[str, Any]) -> str:
    """Return JSON that a terminal can show: no control character stands in it bare, and it reads the same."""
    return escaped_in_json(json.dumps(result, ensure_ascii=False, indent=2))


def plain(result: dict[str, Any]) -> str:
    """Return an answer for a terminal; each sentence on one line, hidden characters as their code points."""
    words = {"code": "computed from the record", "quote": "from the record", "model": "drafted, checked"}
    lines = [f"Route: {result['route']} ({result['route_reason']})", f"Status: {result['status']}"]
    if check := result["medication_check"]:
        lines += [f"! {one['severity']}: {' '.join(one['text'].split())}" for one in result["findings"]]
        lines.append(f"Medication check: {check['covered']}")
        lines += [f"  {' '.join(one.split())}" for one in check["not_checked"]]
    for sentence in result["sentences"]:
        if not sentence["shown"]:
            lines.append(f"- [withheld: {sentence['reason']}]")
            continue
        # Who says it comes first: words of the record cannot forge what stands before them.
        lines.append(f"- {words[sentence['by']]}: {' '.join(sentence['text'].split())}")
        for citation in sentence["citations"]:
            place = f"{citation['resource']} v{citation['version']} {citation['part']}"
            lines.append(f"    {place}[{citation['start']}:{citation['end']}]")
    if absence := result["absence"]:
        total = sum(absence["searched"].values())
        lines.append(f"{absence['note']} Searched {total} records, {absence['passages']} passages,")
        lines.append(f"  {absence['from'] or '?'} to {absence['to'] or '?'}, up to {absence['watermark']}.")
        lines.append(
            f"  Held back: {absence['unassigned']} not assigned to a patient, {absence['quarantined']} in quarantine, "
            f"{absence['unapplied']} not yet applied."
        )
    if result["model_unavailable"]:
        lines.append(f"No draft: {result['model_unavailable']}.")
    for one in result["judgements"]:
        lines.append(f"To be judged; add to the question: {one['words']}: {' or '.join(one['options'])}")
    model = [sentence for sentence in result["sentences"] if sentence["by"] == "model"]
    shown = sum(sentence["shown"] for sentence in model)
    lines.append(f"Model sentences: {shown} shown, {len(model) - shown} withheld.")
    return "\n".join(map(visible, lines))
