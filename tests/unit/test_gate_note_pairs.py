"""Pairs made from notes at run time: what a change must be to count, and how the gate does on public notes."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from clinical.domain.gate.pairs import Pair, counts, counts_by_kind, judge
from clinical.evaluation.note_pairs import notes_of, pairs_of_notes

NOTES = Path(__file__).parents[3] / "shared" / "data" / "notes" / "aci_bench_train.csv"
NEVER = ("value", "unit", "date", "negation-gone", "negation-added")
NOTE = (
    "HISTORY\n\n"
    "The patient has had mild pain in the left knee for 3 weeks. She was seen by the nurse in March 2024. "
    "She takes metformin 500 mg twice a day. She denies any fever at home. Ferritin was 11 ng/mL last month."
)


def made() -> dict[str, list[Pair]]:
    found: dict[str, list[Pair]] = {}
    for pair in pairs_of_notes([("n", NOTE)]):
        found.setdefault(pair.kind, []).append(pair)
    return found


def test_each_change_alters_one_thing_that_the_evidence_says_nowhere() -> None:
    pairs = made()
    said = {kind: [pair.sentence for pair in found] for kind, found in pairs.items()}
    assert "The patient has had mild pain in the right knee for 3 weeks." in said["laterality"]
    assert "The patient has had severe pain in the left knee for 3 weeks." in said["severity"]
    assert "She takes metformin 500 g twice a day." in said["unit"]
    assert "She reports fever at home." in said["negation-gone"]
    assert "She was seen by the nurse in March 2021." in said["date"]
    assert all(not pair.supported for kind in ("value", "unit", "date", "drug", "laterality") for pair in pairs[kind])
    numbers = {pair.sentence for pair in pairs["value"]}
    assert numbers
    assert not any(sentence in NOTE for sentence in numbers)


def test_a_rewording_keeps_what_is_said() -> None:
    said = {kind: [pair.sentence for pair in found] for kind, found in made().items()}
    assert "The patient has had mild pain in the left knee for three weeks." in said["numbers-in-words"]
    assert "She takes metformin 500 milligrams twice a day." in said["units-spelled-out"]
    assert "She does not report any fever at home." in said["other-phrase"]


def test_a_side_is_not_changed_where_the_evidence_has_both() -> None:
    both = NOTE + " The right knee is normal on examination and moves freely."
    assert not any(pair.kind == "laterality" for pair in pairs_of_notes([("n", both)]))


def test_the_same_notes_give_the_same_pairs() -> None:
    assert list(pairs_of_notes([("n", NOTE)])) == list(pairs_of_notes([("n", NOTE)]))


def test_the_command_reads_notes_and_prints_counts_by_class(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text(NOTE, encoding="utf-8")
    out = io.StringIO()
    call_command("gate", "--from-notes", str(path), "--json", stdout=out)
    report = json.loads(out.getvalue())
    assert report["counts"]["unsupported_shown"] == 0
    assert report["counts"]["supported_withheld"] == 0
    assert report["by_class"]["value"] == {"shown": 0, "withheld": len(made()["value"])}


@pytest.mark.parametrize("arguments", [[], ["pairs.jsonl", "--from-notes", "notes.csv"], ["--from-notes", "none.csv"]])
def test_the_command_wants_one_source_that_can_be_read(arguments: list[str]) -> None:
    with pytest.raises(CommandError) as error:
        call_command("gate", *arguments)
    assert error.value.returncode == 2


def test_a_table_of_notes_without_a_column_of_notes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("id,text\n1,a\n", encoding="utf-8")
    with pytest.raises(ValueError, match="note"):
        notes_of(path)


@pytest.mark.skipif(not NOTES.exists(), reason="the public notes are not beside this checkout")
def test_on_public_notes_no_changed_value_unit_date_or_denial_is_shown() -> None:
    pairs = list(pairs_of_notes(notes_of(NOTES)))
    shown = {pair.id: judge(pair).shown for pair in pairs}
    by_kind = counts_by_kind(pairs, lambda pair: shown[pair.id])
    found = counts(pairs, lambda pair: shown[pair.id])
    assert {kind: by_kind[kind]["shown"] for kind in NEVER} == dict.fromkeys(NEVER, 0)
    assert found["unsupported_shown"] <= 0.01 * (found["unsupported_shown"] + found["unsupported_withheld"])
    assert found["supported_withheld"] <= 0.03 * (found["supported_withheld"] + found["supported_shown"])
