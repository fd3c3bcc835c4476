"""What the parts of the proof tell each other, as JSON, and what the report is made of."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

SEALED: Final = "sealed"
TEMPTED: Final = "tempted"
OPENED: Final = "opened"
"""The sealed namespace once its work is done, opened to see that the watchers see."""


class Plan(Struct, frozen=True):
    """What one run does.

    Attributes:
        folder: receives result, trace and logs; made by the caller, readable by its owner only.
        journeys: phases in which the journey is made, `sealed` before `tempted`.
        whole: the whole synthetic clinic and every door, instead of one patient and the most important ones.
        model: whether the model server takes part.
        leak: program and arguments run as one more step, to see that the proof notices; only tests set it.
        bare: no processes and no journey but the leak; only tests set it.
    """

    folder: str
    journeys: list[str]
    whole: bool = False
    model: bool = False
    leak: list[str] = []
    bare: bool = False


class Step(Struct, frozen=True):
    """One thing done: whether it worked, seconds, and what came of it in counts and codes."""

    name: str
    worked: bool
    seconds: float
    told: str = ""


class Canary(Struct, frozen=True):
    """Deliberate attempts to get out, made as one kind of process; `attempts` says what became of each."""

    kind: str
    attempts: dict[str, str]


class Watched(Struct, frozen=True):
    """What the watchers counted in a stretch of time.

    Attributes:
        packets: seen at any interface but loopback, or, under temptation, by the sink.
        shown: the first of them: interface, protocol, addresses and ports; never content.
        no_route: attempts that ended in the kernel because no route led there (IPv4 and IPv6).
    """

    packets: int = 0
    shown: list[str] = []
    no_route: int = 0


class Phase(Struct, frozen=True):
    """One phase: the interfaces there were, the steps, and what was seen during them and during the canaries."""

    name: str
    interfaces: list[str]
    steps: list[Step]
    journey: Watched
    canaries: list[Canary]
    canary: Watched


class Result(Struct, frozen=True):
    """What a run found. `kinds` is the kind of each process known by its id; `fault` what stopped the run."""

    phases: list[Phase] = []
    kinds: dict[int, str] = {}
    endpoints: dict[str, str] = {}
    traced: bool = False
    remarks: list[str] = []
    fault: str = ""


class Call(Struct, frozen=True, order=True):
    """An attempt to reach something: by which kind of process, what, whether it may, how often, how it ended."""

    kind: str
    destination: str
    allowed: bool
    about: str
    count: int
    outcome: str


class Check(Struct, frozen=True):
    """One line of the verdict. `held` is None where it could not be checked, and `words` say why."""

    name: str
    held: bool | None
    words: str


class Report(Struct, frozen=True):
    """The whole proof; what is signed. Times are ISO 8601 in UTC, seconds are wall-clock."""

    kind: str
    made_at: str
    product: str
    machine: str
    form: str
    verdict: str
    seconds: float
    checks: list[Check]
    phases: list[Phase]
    calls: list[Call]
    telemetry: list[dict[str, str]]
    not_covered: list[str]
    remarks: list[str] = field(default_factory=list)
