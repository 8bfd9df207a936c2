"""Where the API is: /api/v1/."""

from __future__ import annotations

from django.urls import path

from gatehouse.api.endpoints import api

urlpatterns = [path("v1/", api.urls)]
