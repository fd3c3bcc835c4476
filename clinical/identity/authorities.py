"""Whose identifiers name a patient here: the site's list of assigning authorities and servers.

An identifier of an authority that is not on the list is kept with the resource as it came, and says nothing
about whose record it is. `settings.CLINICAL_KNOWN_AUTHORITIES` is that list; None means that every authority
counts (a demonstration, a test, one practice with one source).
"""

from __future__ import annotations

from typing import Final

from django.conf import settings

FHIR_ID: Final = "fhir:"
UPLOADS: Final = "uploads"
"""Stands on the list for files that name no server: what is uploaded here comes from one source, whose
logical ids count. Without it an id in such a file means something inside that file only."""


def is_known(authority: str) -> bool:
    """Return whether identifiers of this authority name a patient here.

    Args:
        authority: an Identifier.system, compared exactly, or `fhir:<server base>`, where a slash at the end
            does not count; `fhir:` alone is a file that names no server.
    """
    listed: frozenset[str] | None = settings.CLINICAL_KNOWN_AUTHORITIES
    if listed is None:
        return True
    if not authority.startswith(FHIR_ID):
        return authority in listed and authority != UPLOADS
    server = authority.removeprefix(FHIR_ID).rstrip("/")
    return server in {one.rstrip("/") for one in listed} if server else UPLOADS in listed
