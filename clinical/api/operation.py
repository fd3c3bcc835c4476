"""What an operation of the API is: one value from which its address, its checks and its description are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from clinical.api.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.http import HttpRequest

    from clinical.api.callers import Caller

    View = Callable[..., Any]

_MOST_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter: an integer of [least, most], or one of `choices`."""

    name: str
    about: str
    default: int | str | None = None
    least: int = 0
    most: int = 0
    choices: tuple[str, ...] = ()

    def read(self, given: str | None) -> int | str | None:
        """Return the value.

        Raises:
            ProblemError: bad-parameter.
        """
        if given is None:
            return self.default
        if self.choices:
            if given in self.choices:
                return given
        elif given.isascii() and given.isdigit() and len(given) <= _MOST_DIGITS:
            number = int(given)
            if self.least <= number <= self.most:
                return number
        raise ProblemError("bad-parameter", self.name)

    def schema(self) -> dict[str, Any]:
        """Return its JSON Schema."""
        if self.choices:
            found: dict[str, Any] = {"type": "string", "enum": list(self.choices)}
        else:
            found = {"type": "integer", "minimum": self.least, "maximum": self.most}
        return found if self.default is None else found | {"default": self.default}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one address. `path` stands below "/api/"; `scope` is what a token needs.

    `body` and `reply` are types that msgspec decodes and describes; a reply of None is an event stream.
    """

    name: str
    method: str
    path: str
    scope: str
    view: View
    reply: type | None
    about: str
    words: str = ""
    status: int = 200
    body: type | None = None
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One call, read and admitted. `query` holds every parameter of the operation, `body` a value of its type."""

    request: HttpRequest
    caller: Caller
    query: dict[str, Any]
    body: Any
    clock: Callable[[], datetime]
