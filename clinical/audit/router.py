"""Keeps the trail in its own database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.models import Model


class AuditRouter:
    """Sends AuditEvent to the `audit` database and everything else to `default`."""

    def _is_audit(self, model: type[Model]) -> bool:
        return model._meta.label_lower == "clinical.auditevent"

    def db_for_read(self, model: type[Model], **_hints: Any) -> str:
        """Return the database a model is read from."""
        return "audit" if self._is_audit(model) else "default"

    def db_for_write(self, model: type[Model], **_hints: Any) -> str:
        """Return the database a model is written to."""
        return self.db_for_read(model)

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **_hints: Any) -> bool | None:
        """Create the trail's table in `audit` only, and all others in `default` only."""
        if model_name is None:
            return None
        return (db == "audit") == (app_label == "clinical" and model_name == "auditevent")
