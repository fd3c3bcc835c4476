"""Each profile resolves to values that its roles take, and opens just the doors that it needs."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from appliance.config import ROOT
from tests.site_variables import ANSIBLE, answers, rendered, variables

EXAMPLES = {
    "cpu-small": ("site.example.yml", {}),
    "gpu-single": ("site.example.yml", {"appliance_profile": "gpu-single"}),
    "two-node-web": ("two-node-web.example.yml", {}),
    "two-node-model": ("two-node-model.example.yml", {}),
}
_BYTES = {"M": 2**20, "G": 2**30}
# Python types of what an argument specification calls by these names.
_TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str, "path": str, "int": int, "bool": bool, "list": list, "dict": dict, "float": float,
}  # fmt: skip


def of(profile: str) -> dict[str, Any]:
    example, more = EXAMPLES[profile]
    return variables({**answers(example), **more})


def options(role: str) -> dict[str, dict[str, Any]]:
    specs = yaml.safe_load((ANSIBLE / "roles" / role / "meta/argument_specs.yml").read_text())
    return dict(specs["argument_specs"]["main"].get("options") or {})


def ruleset(profile: str) -> set[str]:
    return {line.strip() for line in rendered("firewall", "nftables.conf.j2", of(profile)).splitlines()}


def size(text: str) -> int:
    return int(text[:-1]) * _BYTES[text[-1]]


@pytest.mark.parametrize("profile", EXAMPLES)
def test_every_option_of_every_role_has_a_value_of_its_type(profile: str) -> None:
    values, wrong = of(profile), []
    for role in sorted(path.name for path in (ANSIBLE / "roles").iterdir()):
        for name, option in options(role).items():
            value = values.get(name)
            fits = isinstance(value, _TYPES[option["type"]]) and "{{" not in str(value)
            if (value is None and option.get("required")) or (value is not None and not fits):
                wrong.append((role, name, value))
            if value is not None and option.get("choices") and value not in option["choices"]:
                wrong.append((role, name, value))
    assert wrong == []


@pytest.mark.parametrize("profile", EXAMPLES)
def test_what_a_profile_sets_is_an_option_of_some_role(profile: str) -> None:
    declared = {name for path in (ANSIBLE / "roles").iterdir() for name in options(path.name)}
    text = (ANSIBLE / "group_vars/all/profiles.yml").read_text()
    given = {name for name in yaml.safe_load(text) if not name.startswith("appliance_")}
    assert len(given) > 8
    assert given <= declared
    assert of(profile)["appliance_sizes"] == yaml.safe_load(text)["appliance_profiles"][profile]


@pytest.mark.parametrize(("profile", "gib"), [("cpu-small", 32), ("gpu-single", 64), ("two-node-web", 256)])
def test_a_profile_s_large_services_fit_the_machine_of_the_sizing_page(profile: str, gib: int) -> None:
    page = (ROOT / "docs" / "sizing.md").read_text()
    row = re.search(rf"^\| `{profile.removesuffix('-web')}` \| .*?\b{gib} GB", page, re.MULTILINE)
    assert row, f"{profile} is another machine on the sizing page now"
    values = of(profile)
    names = ("vllm_memory_max", "vector_memory_max", "postgresql_memory_max")
    assert sum(size(values[name]) for name in names) < gib * 2**30
    place = ["cpu-small", "gpu-single", "two-node-web"].index(profile)
    index = re.search(r"^\| `index_gb` \|[^|]*\|" + r"[^|]*\|" * place + r" *([\d.]+)", page, re.MULTILINE)
    assert index
    assert size(values["vector_memory_max"]) > float(index[1]) * 1e9


def test_one_machine_s_ruleset_knows_nothing_of_a_link() -> None:
    assert not any("model" in line or "8443" in line for line in ruleset("cpu-small"))


def test_the_web_node_lets_one_service_out_to_one_address_and_port() -> None:
    link = 'meta skuid "appliance-vllm" ip daddr 10.40.0.11 tcp dport 8443 counter name out_model accept'
    assert ruleset("two-node-web") - ruleset("cpu-small") == {link, "counter out_model { }"}


def test_the_model_node_lets_one_address_in_to_one_port_and_nobody_to_the_doors() -> None:
    link = "ip saddr 10.40.0.10 tcp dport 8443 counter name in_model accept"
    held = ruleset("two-node-model")
    assert link in held
    assert [line for line in held if re.search(r"dport (443|2575)\b", line) and "10.99.0.0/24" not in line] == []
    assert not any("daddr" in line for line in held)


@pytest.mark.parametrize(("node", "other"), [("web", "10.40.0.11"), ("model", "10.40.0.10")])
def test_the_link_s_unit_may_speak_to_the_other_node_only(node: str, other: str) -> None:
    unit = rendered("vllm", "appliance-model-link.service.j2", of(f"two-node-{node}"))
    assert re.findall(r"^IPAddressAllow=(.*)$", unit, re.MULTILINE) == [other]
    assert "IPAddressDeny=any" in unit
    assert len(re.findall(r"^User=", unit, re.MULTILINE)) == 1


def test_a_machine_with_a_model_of_its_own_has_no_link() -> None:
    for profile in ("cpu-small", "gpu-single"):
        values = of(profile)
        assert values["vllm_enabled"] is True
        assert "model-link" not in values["verify_units"]
    web, model = of("two-node-web"), of("two-node-model")
    assert web["vllm_enabled"] is False and "model-link" in web["verify_units"]
    assert model["verify_units"] == ["vllm", "model-link"]
    assert model["verify_listeners"] == ["tcp 8443"]
