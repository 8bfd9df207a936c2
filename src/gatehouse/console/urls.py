"""Every address of the console."""

from __future__ import annotations

from django.urls import path

from gatehouse.console.views import officer, public, session

app_name = "console"

urlpatterns = [
    path("", session.home, name="home"),
    path("sign-in/", session.sign_in, name="sign-in"),
    path("sign-out/", session.sign_out, name="sign-out"),
    path("statistics/", public.statistics, name="statistics"),
    path("ledger/", public.ledger, name="ledger"),
    path("august-2025/", public.august_2025, name="august-2025"),
    path("dockets/", officer.dockets, name="dockets"),
    path("dockets/<str:name>/", officer.docket, name="docket"),
    path("dockets/<str:name>/queue/", officer.queue, name="queue"),
    path("dockets/<str:name>/cases/<int:seq>/", officer.case, name="case"),
    path("law/", public.statistics, name="law"),
    path("law/<str:identifier>/", public.statistics, name="pack"),
    path("oversight/", public.statistics, name="oversight"),
    path("submissions/", public.statistics, name="submissions"),
    path("accounts/", public.statistics, name="accounts"),
]
