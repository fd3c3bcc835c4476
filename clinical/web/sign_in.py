"""Log in and out; both are on the trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinical.audit import trail

if TYPE_CHECKING:
    from typing import Any

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


LONGEST_NAME: Final = 150  # characters, as the column has them


class _SignInForm(AuthenticationForm):
    """Refuses a name that no column takes before anything looks for it."""

    username = UsernameField(max_length=LONGEST_NAME, widget=forms.TextInput(attrs={"autofocus": True}))


class SignIn(LoginView):
    """The log-in page."""

    authentication_form = _SignInForm
    template_name = "login.html"
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Record the log-in, then start the session."""
        _record("session.login", "SUCCESS", form.get_user().get_username())
        return super().form_valid(form)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Record the failure; a name is kept only if such a user exists (it may be a mistyped password)."""
        name = str(form.cleaned_data.get("username", ""))
        known = get_user_model().objects.filter(username=name).exists()
        _record("session.login", "DENIED", name if known else "")
        return super().form_invalid(form)


class SignOut(LogoutView):
    """Ends the session; POST only."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]  # the stub narrows to TemplateResponse
        """Record, then end."""
        if request.user.is_authenticated:
            _record("session.logout", "SUCCESS", request.user.get_username())
        return super().post(request, *args, **kwargs)


@require_safe
def stay(_request: HttpRequest) -> HttpResponse:
    """Note that a person is still there; the idle middleware has done so already."""
    return HttpResponse(status=204)


def locked_out(request: HttpRequest, *_args: object, **_kwargs: object) -> HttpResponse:
    """Say that the account is locked for a while; 429 as axes does."""
    return render(request, "lockout.html", status=429)


def _record(action: str, outcome: str, user_id: str) -> None:
    trail.append(trail.Entry(action=action, outcome=outcome, user_id=user_id), now=timezone.now())
