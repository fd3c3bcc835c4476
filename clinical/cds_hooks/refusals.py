"""Why a call is not answered, as errors with a reason code; never a value of the call."""

from __future__ import annotations


class HookRequestError(Exception):
    """The call cannot be taken; the reply is 400. `reason` is a code, `element` a path."""

    def __init__(self, reason: str, element: str = "") -> None:
        super().__init__(f"{reason}: {element}" if element else reason)
        self.reason = reason
        self.element = element


class NoDataError(Exception):
    """What is needed to answer is neither held here nor in the call; the reply is 412.

    `reason` is unmapped-patient, ambiguous-patient, empty-record or closed-record (consent withdrawn).
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
