"""An erasure that ends in the middle shows nobody, and is brought to its end by running it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError

from clinical.access.services import grant_access
from clinical.domain.access import AccessDeniedError
from clinical.models import AuditEvent, DeletionReceipt, IndexChange, Patient, ResourceVersion
from clinical.ports import BackendUnavailableError, backends
from clinical.record import erase as record
from clinical.selectors import patient_list
from ingestion.erasure import files, services
from ingestion.models import Original
from tests.erasing import by, command, erased, held, officer, rows_of
from tests.factories import NOON, bundle, clinician, note, observation, patient, take_in

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


class KilledError(BaseException):
    """The process ends here."""


def die(*_args: object, **_more: object) -> None:
    raise KilledError


def on_the_second_call(function: Callable[..., Any]) -> Callable[..., Any]:
    calls = []

    def called(*args: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            raise KilledError
        return function(*args, **more)

    return called


POINTS: list[tuple[Any, str, Callable[[Callable[..., Any]], Callable[..., Any]]]] = [
    (record, "traces_held", lambda _: die),
    (files.KeptFiles, "clear", lambda _: die),
    (files, "keep", lambda _: die),
    (files.KeptFiles, "_replace", lambda _: die),
    (files.KeptFiles, "_replace", on_the_second_call),
    (files, "objects_of", lambda _: die),
    (files, "remove_objects", on_the_second_call),
    (record, "cut_from_shared", lambda _: die),
    (record, "clear_index", lambda _: die),
    (record, "_delete_vectors", lambda _: die),
    (record, "finish", lambda _: die),
    (record, "counts_of", on_the_second_call),
]


@pytest.mark.parametrize(("module", "name", "how"), POINTS)
def test_killed_anywhere_it_is_complete_after_the_next_run(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, how: Callable[..., Any]
) -> None:
    take_in(bundle(patient("amina"), note("She takes apixaban."), observation()))
    take_in(bundle(patient("amina"), patient("bruno", gender="male"), observation("k2", subject="bruno")))
    amina, bruno = held("amina"), rows_of(held("bruno"))
    with monkeypatch.context() as patched:
        patched.setattr(module, name, how(getattr(module, name)))
        with pytest.raises(KilledError):
            erased("amina")

    assert [line.given for line in patient_list(clinician(), "")] == ["Bruno"]
    with pytest.raises(AccessDeniedError, match="not-in-care-team"):
        grant_access(clinician(), amina.id, action="chart.view", now=NOON)
    assert DeletionReceipt.objects.get().finished_at is None

    receipt = erased("amina")

    assert receipt.finished_at == NOON
    assert (receipt.before["originals"], receipt.before["versions"]) == (2, 3)
    assert set(receipt.after.values()) == {0}
    assert not Patient.objects.filter(id=amina.id).exists()
    assert rows_of(held("bruno")) == bruno
    assert len(backends().originals.held) == Original.objects.exclude(size=0).count() == 1  # type: ignore[attr-defined]
    assert list(
        AuditEvent.objects.filter(action="patient.erase").order_by("seq").values_list("outcome", flat=True)
    ) == [
        "STARTED",
        "INTERRUPTED",
        "STARTED",
        "SUCCESS",
    ]


def test_without_the_index_the_rest_goes_and_the_receipt_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    take_in(bundle(patient("amina"), note("She takes apixaban.")))
    officer()
    amina = held("amina")

    def down(*_args: object) -> None:
        raise BackendUnavailableError("qdrant", "unreachable")

    with monkeypatch.context() as patched:
        patched.setattr(backends().index, "ensure_collections", down)
        with pytest.raises(CommandError, match="--resume"):
            command("--patient", "amina", "--reason", "request", "--as", "demo-privacy", "--wait", "0")

    receipt = DeletionReceipt.objects.get()
    assert (receipt.finished_at, receipt.after["index_vectors"]) == (None, None)
    assert not ResourceVersion.objects.filter(patient_id=amina.id).exists()
    assert IndexChange.objects.filter(operation="delete").count() == 1  # the workers have it in hand too
    assert AuditEvent.objects.order_by("seq").last().outcome == "INTERRUPTED"  # type: ignore[union-attr]
    assert amina.id in {tenant for _, tenant in backends().index.passage_ids()}

    assert '"complete": true' in command("--resume", "--as", "demo-privacy", "--json")
    assert list(backends().index.passage_ids()) == []


def test_killed_at_its_very_end_the_same_command_finds_the_receipt() -> None:
    take_in(bundle(patient("amina"), note("She takes apixaban.")))
    officer()
    erased("amina")
    DeletionReceipt.objects.update(finished_at=None)

    shown = command("--patient", "amina", "--reason", "request", "--as", "demo-privacy", "--json")

    assert '"complete": true' in shown


def test_resuming_with_nothing_under_way_does_nothing() -> None:
    assert services.resume(by=by()) == []
