"""Where the doors are: the console at the root, the API below /api/, and what to show when a door stays shut."""

from __future__ import annotations

from django.urls import include, path

from gatehouse.cli.web import api_installed

urlpatterns = [path("", include("gatehouse.console.urls"))]

if api_installed():
    urlpatterns.append(path("api/", include("gatehouse.api.urls")))

handler400 = "gatehouse.console.views.errors.wrong"
handler403 = "gatehouse.console.views.errors.not_allowed"
handler404 = "gatehouse.console.views.errors.not_found"
handler500 = "gatehouse.console.views.errors.failed"
