"""The tables of the record, one subject a file."""

from clinical.models.api_token import ApiToken
from clinical.models.audit_event import AuditEvent
from clinical.models.cds import CardFeedback, CardGiven, Handle, UsedToken
from clinical.models.data_key import DataKey
from clinical.models.deletion_receipt import DeletionReceipt
from clinical.models.document_relation import DocumentRelation
from clinical.models.fact import FactRow
from clinical.models.feed import Feed
from clinical.models.guideline import GuidelineEdition, GuidelinePassageRow, guideline_key
from clinical.models.passage import IndexChange, PassageRow, PassageVector
from clinical.models.patient import CareTeamMember, Patient, PatientIdentifier, PatientSearchTerm
from clinical.models.patient_merge import PatientMerge
from clinical.models.question import Answer, AnswerCitation, Question
from clinical.models.resource_version import ResourceVersion
from clinical.models.row_approval import RowApproval
from clinical.models.switch import Switch

__all__ = [
    "Answer",
    "AnswerCitation",
    "ApiToken",
    "AuditEvent",
    "CardFeedback",
    "CardGiven",
    "CareTeamMember",
    "DataKey",
    "DeletionReceipt",
    "DocumentRelation",
    "FactRow",
    "Feed",
    "GuidelineEdition",
    "GuidelinePassageRow",
    "Handle",
    "IndexChange",
    "PassageRow",
    "PassageVector",
    "Patient",
    "PatientIdentifier",
    "PatientMerge",
    "PatientSearchTerm",
    "Question",
    "ResourceVersion",
    "RowApproval",
    "Switch",
    "UsedToken",
    "guideline_key",
]
