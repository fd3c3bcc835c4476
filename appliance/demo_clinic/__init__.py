"""The synthetic clinic: thirty invented patients whose structured record and notes agree, with known traps.

Everything is written by hand in the tables beside this file (`people/`, `notes/`, `guidelines/`,
`codes.json`, `traps.json`) and turned into files by `build`. No randomness and no clock: the same
tables always give the same bytes.

How the clinic writes things down
- Every resource has a readable id (`Observation/amina-yusuf-k-20260811`) and is sent by PUT, version 1;
  `updates/` holds the later versions and is loaded after `patients/`.
- Code status is an Observation with LOINC 75320-2 (advance directive) and a SNOMED CT value:
  304253006 not for resuscitation, 304252001 for resuscitation. Without one, none is recorded.
- "No known allergies" is an AllergyIntolerance with SNOMED CT 716186003. Without any entry, nobody asked.
- A medication's last day is `dosageInstruction.timing.repeat.boundsPeriod.end`, its reason `statusReason`.
- A restricted resource carries `meta.security` R (v3-Confidentiality).
- Notes are text files with front matter; `id` there is the id of the DocumentReference they become.

Load `patients`, `notes`, `updates`, `guidelines` in this order (`LOAD_ORDER`);
`guidelines_pdf/` holds one PDF, which is taken in as a guideline with `PDF_PROVENANCE`.
"""

from __future__ import annotations

from appliance.demo_clinic.build import LOAD_ORDER, PDF_PROVENANCE, RecordAfterReferenceError, Summary, build
from appliance.demo_clinic.tables import REFERENCE_DATE

__all__ = ["LOAD_ORDER", "PDF_PROVENANCE", "REFERENCE_DATE", "RecordAfterReferenceError", "Summary", "build"]
