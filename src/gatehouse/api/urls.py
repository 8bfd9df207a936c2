"""Where the API is: /api/v1/."""

from __future__ import annotations

from django.urls import path

import gatehouse.api.casework
import gatehouse.api.exchange
import gatehouse.api.oversight
import gatehouse.api.signing  # noqa: F401 - their operations join the API by being imported
from gatehouse.api.endpoints import api

urlpatterns = [path("v1/", api.urls)]
