"""Says which setting is refused, in words, where nothing else can start."""

from __future__ import annotations

from pydantic import ValidationError

from appliance.config import Config, config


def stop_on_refused_settings() -> None:
    """End the program if its settings are refused; their values are not repeated, one may be a secret.

    Raises:
        SystemExit: with the name of each setting, why, and what mends it.
    """
    try:
        config()
    except ValidationError as error:
        raise SystemExit("\n".join(words(error))) from None


def words(error: ValidationError) -> list[str]:
    """Return one line a refused setting, then where settings are given."""
    prefix = str(Config.model_config["env_prefix"])
    lines = []
    for one in error.errors(include_input=False, include_url=False):
        name = prefix + str(one["loc"][0]).upper() if one["loc"] else "settings"
        lines.append(f"WRONG  {name}: {one['msg'].removeprefix('Value error, ')}")
    lines.append(
        "        mend: correct it where it is set: the environment or, on a site, /etc/appliance/site.yml; "
        "docs/settings.md lists every setting"
    )
    return lines
