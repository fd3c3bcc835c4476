"""Run as a program inside the box: what became of every message, printed as JSON; counts only."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, defaultdict
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingestion.domain.items import Item

Identity = tuple[str, str, str]
_SETTLE_S = 300.0


def settle(most_s: float) -> dict[str, int]:
    """Wait until nothing is due any more; returns what was still due in the end."""
    from django.db import Error, connection

    from clinical.models import IndexChange
    from ingestion.models import IngestJob

    limit, left = time.monotonic() + most_s, {"jobs": -1, "changes": -1}
    while time.monotonic() < limit:
        try:
            open_jobs = IngestJob.objects.exclude(state=IngestJob.State.DONE).count()
            left = {"jobs": open_jobs, "changes": IndexChange.objects.count()}
        except Error:
            connection.close()
        if not any(left.values()):
            break
        time.sleep(0.5)
    return left


def judge(letters: list[dict[str, Any]]) -> dict[str, Any]:
    """Compare every message with the record, the ledger and the kept bytes."""
    import hashlib

    from ingestion.models import IngestJob, QuarantinedItem, UnassignedItem
    from ingestion.originals import open_original

    held = {
        "unassigned": _by_original(UnassignedItem),
        "quarantined": _by_original(QuarantinedItem),
    }
    jobs = {job.original_id: job.original for job in IngestJob.objects.select_related("original")}
    record = _versions()
    wanted: dict[Identity, dict[str, tuple[int, str]]] = defaultdict(dict)
    faults: Counter[str] = Counter()
    for one in letters:
        content = one["content"].encode()
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 not in jobs or open_original(jobs[sha256]).read() != content:
            faults["lost"] += 1
            continue
        items = _items(content, one["door"])
        if one["becomes"] != "applied":
            faults["held-wrongly"] += held[one["becomes"]][sha256] != len(items)
            continue
        faults["held-but-good"] += bool(held["unassigned"][sha256] or held["quarantined"][sha256])
        for item in items:
            digest = hashlib.sha256(item.content).hexdigest()
            wanted[item.server, item.resource_type, item.resource_id][digest] = _order(item.content)
    for identity, contents in wanted.items():
        found = record.get(identity, [])
        count = Counter(digest for digest, _ in found)
        faults["not-applied"] += sum(not count[digest] for digest in contents)
        faults["applied-twice"] += sum(count[digest] > 1 for digest in contents)
        current = [digest for digest, is_current in found if is_current]
        newest = max(contents.values())
        faults["wrong-current"] += len(current) != 1 or contents.get(current[0]) != newest
    return {"faults": {name: count for name, count in faults.items() if count}, "resources": len(wanted)}


def _by_original(table: Any) -> Counter[str]:
    return Counter(table.objects.filter(resolved_at=None).values_list("job__original_id", flat=True))


def _versions() -> dict[Identity, list[tuple[str, bool]]]:
    from clinical.models import ResourceVersion

    found: dict[Identity, list[tuple[str, bool]]] = defaultdict(list)
    rows = ResourceVersion.objects.values_list("server", "resource_type", "logical_id", "sha256", "is_current")
    for server, kind, logical_id, digest, is_current in rows.iterator():
        found[server, kind, logical_id].append((digest, is_current))
    return found


def _items(content: bytes, door: str) -> list[Any]:
    from ingestion.domain.items import ParseContext
    from ingestion.parsers.attached import with_words
    from ingestion.parsers.registry import parse_stream
    from tests.faults.storm.clinic import EHR

    context = ParseContext(server=EHR if door in {"fhir", "subscription"} else "")
    found: list[Item] = list(with_words(parse_stream(BytesIO(content), "message", context), context))
    return found


def _order(content: bytes) -> tuple[int, str]:
    """Return how final a version is, and when its source reported it."""
    meta = json.loads(content).get("meta", {})
    return int(meta.get("versionId", "v2-0").removeprefix("v2-")), meta.get("lastUpdated", "")


def effects() -> dict[str, int]:
    """Count what an effect that came twice, or half, would leave behind."""
    from django.db.models import Count

    from clinical.models import FactRow, ResourceVersion
    from ingestion.models import IngestJob

    current = ResourceVersion.objects.filter(is_current=True, deleted=False, resource_type="Observation")
    facts = FactRow.objects.filter(kind="observation").values("version").annotate(count=Count("pk"))
    return {
        "observations": current.count(),
        "observation_facts": sum(one["count"] for one in facts),
        "facts_of_no_current_version": FactRow.objects.filter(version__is_current=False).count(),
        "jobs": IngestJob.objects.count(),
        "failed": IngestJob.objects.filter(state=IngestJob.State.FAILED).count(),
    }


def main(path: str, most_s: float = _SETTLE_S) -> None:
    """Settle, judge, and print."""
    from clinical.audit import trail
    from clinical.record.index_check import compare
    from ingestion.conservation import conservation

    left = settle(most_s)
    letters = [json.loads(line) for line in Path(path).read_text().splitlines()]
    ledger, index, chain = conservation(), compare(), trail.verify()
    result = judge(letters) | {
        "left": left,
        "effects": effects(),
        "conservation": {"holds": ledger.holds, "difference": ledger.total.difference, "broken": len(ledger.broken)},
        "ledger": {door.door: [door.jobs, door.received, door.applied, door.unchanged] for door in ledger.doors},
        "index": {"missing": len(index.missing), "orphaned": len(index.orphaned), "stale": len(index.stale)},
        "trail": {"rows": chain.rows, "first_broken": chain.first_broken},
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    from appliance.config import use_settings_module

    use_settings_module()
    import django

    django.setup()
    main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else _SETTLE_S)
