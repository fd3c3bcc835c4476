"""The clinician's and the privacy officer's pages. Ids in paths are opaque; no name ever stands in a URL."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.urls import path

from clinical.web import (
    ask,
    audit_page,
    card_feedback,
    chart,
    handles,
    judgements,
    lead,
    patients,
    sign_in,
    source,
    staleness,
    ward,
)

urlpatterns = [
    path("", patients.patients, name="patients"),
    path("login", login_not_required(sign_in.SignIn.as_view()), name="login"),
    path("logout", sign_in.SignOut.as_view(), name="logout"),
    path("stay", sign_in.stay, name="stay"),
    path("patients/<uuid:patient_id>/", chart.chart, name="chart"),
    path("patients/<uuid:patient_id>/questions", ask.post_question, name="ask"),
    path(
        "patients/<uuid:patient_id>/source/<str:resource_type>/<str:logical_id>/<str:version>/",
        source.source,
        name="source",
    ),
    path("questions/<uuid:question_id>/", ask.question_page, name="question"),
    path("questions/<uuid:question_id>/staleness", staleness.question_staleness, name="question-staleness"),
    path("questions/<uuid:question_id>/judgements", judgements.post_judgements, name="question-judgements"),
    path("questions/<uuid:question_id>/events", ask.question_events, name="question-events"),
    path("audit/", audit_page.audit, name="audit"),
    path("lead/", lead.lead, name="lead"),
    path("ward/", ward.ward, name="ward"),
    path("ward/rows", ward.ward_rows, name="ward-rows"),
    path("open/<str:token>", handles.open_card, name="open-card"),
    path("cards/", card_feedback.card_feedback, name="card-feedback"),
]
