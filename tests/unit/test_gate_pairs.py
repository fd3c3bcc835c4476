import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from clinical.domain.gate.pairs import (
    BadPairError,
    all_words_occur,
    counts,
    counts_by_kind,
    is_substring,
    judge,
    read_pairs,
    share_wrong,
)

GOLD = Path(__file__).parents[1] / "gold" / "gate.jsonl"
PAIRS = list(read_pairs(GOLD.read_text(encoding="utf-8").splitlines()))


NEVER = ("value", "unit", "date", "negation")


def test_the_gold_pairs_are_balanced_and_not_to_be_had_by_looking_for_words() -> None:
    supported = [pair for pair in PAIRS if pair.supported]
    assert len(PAIRS) >= 600
    assert 0.45 <= len(supported) / len(PAIRS) <= 0.55
    assert sum(not is_substring(pair) for pair in supported) >= len(supported) / 2
    assert all(share_wrong(counts(PAIRS, baseline)) >= 0.3 for baseline in (is_substring, all_words_occur))


def test_each_unsupported_gold_pair_names_the_one_thing_it_changes() -> None:
    named = {pair.kind for pair in PAIRS if not pair.supported}
    assert named >= {*NEVER, "drug", "test", "subject", "certainty", "laterality", "status", "severity", "frequency"}
    assert named >= {"who", "quantity", "cause", "route"}
    assert "" not in named


def test_the_gate_lets_no_unsupported_pair_through_and_withholds_few_supported_ones() -> None:
    shown = {pair.id: judge(pair).shown for pair in PAIRS}
    by_kind = counts_by_kind(PAIRS, lambda pair: shown[pair.id])
    found = counts(PAIRS, lambda pair: shown[pair.id])
    assert {kind: by_kind[kind]["shown"] for kind in NEVER} == dict.fromkeys(NEVER, 0)
    assert found["unsupported_shown"] <= 0.01 * (found["unsupported_shown"] + found["unsupported_withheld"])
    assert found["supported_withheld"] <= 0.08 * (found["supported_withheld"] + found["supported_shown"])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"id": "1", "evidence": "a", "sentence": "b"}', '"supported" is missing or not a bool'),
        ('{"id": 1, "evidence": "a", "sentence": "b", "supported": true}', '"id" is missing or not a str'),
    ],
)
def test_a_line_that_is_no_pair_is_named_by_number(line: str, reason: str) -> None:
    with pytest.raises(BadPairError) as error:
        list(read_pairs(["", line]))
    assert (error.value.line, error.value.reason) == (2, reason)


def test_the_command_prints_the_verdicts_counts_and_baselines(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "evidence": "K 4.1 mmol/L.", "sentence": "Potassium was 4.1 mmol/L.", "supported": True},
        {
            "id": "b",
            "evidence": "K 4.1 mmol/L.",
            "sentence": "Potassium was 4.2 mmol/L.",
            "supported": False,
            "class": "value",
        },
    ]
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    out = io.StringIO()
    call_command("gate", str(path), "--json", stdout=out)
    report = json.loads(out.getvalue())
    assert report["verdicts"] == [
        {"id": "a", "shown": True, "reason": None},
        {"id": "b", "shown": False, "reason": "number-not-in-source"},
    ]
    assert report["counts"] == {
        "supported_shown": 1,
        "supported_withheld": 0,
        "unsupported_shown": 0,
        "unsupported_withheld": 1,
    }
    assert report["baselines"]["substring"]["supported_withheld"] == 1
    assert report["by_class"] == {
        "supported": {"shown": 1, "withheld": 0},
        "value": {"shown": 0, "withheld": 1},
    }


def test_a_bad_file_ends_the_command_with_code_two(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"id": "a"}\n', encoding="utf-8")
    with pytest.raises(CommandError, match="line 1") as error:
        call_command("gate", str(path))
    assert error.value.returncode == 2
