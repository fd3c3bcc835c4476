"""Look-ups answered by code, from question to stored answer, beside 1,000, 10,000 and 100,000 patients.

The whole path of a question in one process: access decision, the trail's first row, route, typed rows, answer,
citations, the trail's last row, the stored answer. 200 different questions about 20 patients of more than 2,000 rows
each, ten about each, the patients in turn; the process has been asked about none of them before. Then the same with
each question as the first about its patient. The record is SQLite on disk, with the settings of the product.

Usage: python -m appliance.bench.lookups [PATIENTS ...]
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from itertools import cycle
from statistics import median, quantiles
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any, Final

from appliance.bench.row import Row, print_rows
from appliance.config import ROOT, use_settings_module
from appliance.processes.throwaway import throwaway_environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from django.contrib.auth.models import User

SIZES: Final = (1_000, 10_000, 100_000)
ASKED: Final = 20
WARM_UP: Final = 20  # questions about one more patient, not counted: the first of a process read the lexicon
IN_TURN: Final = ""
FIRST: Final = "first question about a patient, "
USER: Final = "demo-clinician"


def run(sizes: Sequence[int] = SIZES) -> list[Row]:
    """Load and measure in a process of its own; returns median and p95 at each size, in milliseconds."""
    with throwaway_environment(lambda _line: None) as environment:
        environment = {**environment, "APPLIANCE_DRAFTING": "false"}
        for database in ("default", "audit"):
            command = [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--database", database]
            subprocess.run(command, env=environment, cwd=ROOT, check=True)
        command = [sys.executable, "-m", "appliance.bench.lookups", "--measure", *map(str, sizes)]
        done = subprocess.run(command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return [row for name in (IN_TURN, FIRST) for one in found for row in _rows(name, one, found[0])]


def _rows(name: str, one: dict[str, Any], first: dict[str, Any]) -> list[Row]:
    mine, base = one[name], first[name]
    return [
        Row(
            f"look-up by code beside {one['patients']:,} patients, {name}{label}",
            round(mine[label], 2),
            "ms",
            round(base[label], 2),
            round(mine[label] / base[label], 2),
            "<= 50 ms" if (name, label) == (IN_TURN, "median") else "",
            f"{mine['by_code']} of {mine['questions']} answered by code from {mine['rows']:,} rows a patient; ratio to "
            f"{first['patients']:,} patients; processor time {mine['busy']} ms against {base['busy']}; "
            f"median of each stage {mine['stages']}",
        )
        for label in ("median", "p95")
    ]


def measure(sizes: Sequence[int]) -> None:
    """Fill this process's own record step by step and print one line of figures a size."""
    use_settings_module()
    import django

    django.setup()
    from appliance.bench.lookup_loader import Crowd, load_asked

    begun = perf_counter()

    def say(line: str) -> None:
        print(f"{perf_counter() - begun:6.0f} s  {line}", file=sys.stderr, flush=True)

    user = _clinician()
    asked = load_asked(ASKED + 1, say)
    crowd = Crowd()
    for size in sizes:
        crowd.grow_to(size - len(asked), say)
        figures = {
            "patients": size,
            IN_TURN: _ask_all(user, asked, anew=False),
            FIRST: _ask_all(user, asked, anew=True),
        }
        print(json.dumps(figures), flush=True)
        say(f"asked beside {size} patients")


def _clinician() -> User:
    from django.contrib.auth.models import Group, User

    user = User.objects.create_user(USER)
    user.groups.add(Group.objects.get_or_create(name="clinician")[0])
    return user


def _ask_all(user: User, patients: Sequence[UUID], *, anew: bool) -> dict[str, Any]:
    from django.utils import timezone

    from appliance.bench.lookup_records import questions
    from clinical.answering import services, stored
    from clinical.models import FactRow
    from clinical.record import facts_held

    times, busy, stages, outcomes = [], [], [], Counter[str]()
    texts = questions()
    turns = [(text, patients[-1]) for text in texts[:WARM_UP]]
    turns += zip(texts, cycle(patients[:-1]), strict=False)
    for turn, (text, patient) in enumerate(turns):
        if anew or turn == WARM_UP:
            facts_held.forget()
        begun, working = perf_counter(), process_time()
        question = services.ask(user, patient, text, clock=timezone.now)
        events = list(services.events(question.id, user, clock=timezone.now))
        spent, worked = (perf_counter() - begun) * 1000, (process_time() - working) * 1000
        if turn < WARM_UP:
            continue
        result = stored.as_json(events)
        by_code = any(sentence["by"] == "code" for sentence in result["sentences"])
        outcomes["by_code"] += result["status"] == "answered" and by_code
        times.append(spent)
        busy.append(worked)
        stages.append(result["timings_ms"])
    names = sorted({name for one in stages for name in one})
    return {
        "questions": len(times),
        "by_code": outcomes["by_code"],
        "rows": FactRow.objects.filter(patient_id=patients[0]).count(),
        "median": median(times),
        "p95": quantiles(times, n=20)[-1],
        "busy": round(median(busy), 1),
        "stages": {name: round(median([one.get(name, 0.0) for one in stages]), 1) for name in names},
    }


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:] if argument.isdecimal()]
    if "--measure" in sys.argv:
        measure(given)
    else:
        print_rows(run(given or SIZES))
