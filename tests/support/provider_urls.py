"""The addresses and claims of the tests' OpenID Connect provider."""

from __future__ import annotations

from django.contrib.auth.models import Group, User
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.oauth2_validators import OAuth2Validator


class Claims(OAuth2Validator):
    oidc_claim_scope = None

    def get_additional_claims(self, request):
        user = request.user
        return {
            "name": user.first_name,
            "employee": user.last_name,
            "groups": sorted(user.groups.values_list("name", flat=True)),
        }


@csrf_exempt
def person(request: HttpRequest, username: str) -> HttpResponse:
    groups = request.POST.get("groups", "").split()
    User.objects.get(username=username).groups.set([Group.objects.get_or_create(name=name)[0] for name in groups])
    return HttpResponse("changed")


urlpatterns = [
    path("login/", LoginView.as_view(template_name="login.html")),
    path("people/<str:username>", person),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]
