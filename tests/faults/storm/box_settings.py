"""The product's settings with an embedder that needs no model; everything else of the box is real."""

from __future__ import annotations

from appliance.settings import *  # noqa: F403

CLINICAL_BACKENDS = "tests.faults.storm.box_backends.box"
