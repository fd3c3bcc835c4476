import pytest

from clinical.domain.lexicon.match import find_concepts
from clinical.domain.lexicon.spelling import distance, nearest_concept
from clinical.domain.lexicon.tables import CONCEPT_FILES, Kind, alike, concepts, table
from clinical.domain.lexicon.words import stem, tokens


def named(text: str, *, loose: bool = False) -> list[str]:
    return [found.concept.id for found in find_concepts(tokens(text), loose=loose)]


@pytest.mark.parametrize(
    "name",
    [
        *CONCEPT_FILES,
        "light",
        "cues",
        "units",
        "word_lists",
        "question_words",
        "soft",
        "alike",
        "contrasts",
        "shorthand",
        "languages",
        "predicates",
    ],
)
def test_every_table_names_its_source_and_status(name: str) -> None:
    loaded = table(name)
    assert loaded["source"]
    assert loaded["status"] in {"checked", "from memory", "approved"}


def test_every_wider_concept_exists_and_no_clinical_name_means_two_things() -> None:
    known = concepts()
    assert all(wider in known for concept in known.values() for wider in concept.wider)
    meanings: dict[str, set[str]] = {}
    for concept in known.values():
        if concept.kind is not Kind.WORD:
            for name in concept.names:
                meanings.setdefault(name, set()).add(concept.id)
    assert {name: ids for name, ids in meanings.items() if len(ids) > 1} == {}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("HbA1c and A1c", ["hba1c", "hba1c"]),
        ("K 4.1, Na 139", ["potassium", "sodium"]),
        ("on a water tablet", ["diuretic"]),
        ("Lasix and Eliquis", ["furosemide", "apixaban"]),
        ("type 2 diabetes mellitus", ["type-2-diabetes"]),
        ("kidney stones", ["kidney-stones"]),
        ("Toprol-XL", ["metoprolol"]),
        ("flu jab", ["influenza-vaccine"]),
        ("sats on air", ["oxygen-saturation", "word:room-air"]),
        ("urine K 40", ["urine-potassium"]),
        ("it does not", []),
    ],
)
def test_names_synonyms_and_abbreviations_are_one_concept(text: str, ids: list[str]) -> None:
    assert named(text) == ids


def test_short_abbreviations_count_in_any_case_only_in_questions() -> None:
    assert named("latest k and na") == []
    assert named("latest k and na", loose=True) == ["potassium", "sodium"]


def test_a_class_is_wider_than_its_members() -> None:
    assert "diuretic" in concepts()["furosemide"].wider
    assert "infection" in concepts()["pneumonia"].wider


def test_what_is_alike_or_of_wider_meaning_is_known() -> None:
    known = concepts()
    assert all(one in known and two in known for one, two in alike())


def test_british_and_american_spellings_share_a_stem() -> None:
    pairs = [
        "tumour tumor",
        "oedema edema",
        "haemoglobin hemoglobin",
        "labelled labeled",
        "visualised visualized",
        "centre center",
        "diarrhoea diarrhea",
        "counsellor counselor",
        "foetal fetal",
        "anaemia anemia",
    ]
    assert all(stem(pair.split()[0]) == stem(pair.split()[1]) for pair in pairs)
    assert stem("monthly") != stem("month")


def test_slips_of_spelling_find_long_names_only() -> None:
    metformin, potassium = nearest_concept("metfromin"), nearest_concept("pottasium")
    assert metformin is not None
    assert metformin.id == "metformin"
    assert potassium is not None
    assert potassium.id == "potassium"
    assert nearest_concept("pain") is None
    assert nearest_concept("completely") is None
    assert distance("abc", "acb", 2) == 1


def test_forms_of_a_word_share_a_stem() -> None:
    assert stem("denies") == stem("denied") == stem("deny")
    assert stem("taking") == stem("took") == stem("takes")
    assert stem("stopped") == stem("stopping") == stem("stop")
    assert stem("family") == "family"
