"""Medication safety by code: allergies, interactions, duplication, dose, kidney function, pregnancy.

`check` returns findings with the facts and table rows they rest on, and every check that could not be made.
The tables lie in `data/`; each row has a source, an edition and a status, and is used only where it may be.
"""

from clinical.domain.medication_safety.check import check
from clinical.domain.medication_safety.names import Drug, identify
from clinical.domain.medication_safety.report import Finding, SafetyReport, Severity
from clinical.domain.medication_safety.tables import every_table

__all__ = ["Drug", "Finding", "SafetyReport", "Severity", "check", "every_table", "identify"]
