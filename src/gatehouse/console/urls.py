"""Every address of the console."""

from __future__ import annotations

from django.urls import path

from gatehouse.console.views import (
    administration,
    counsel,
    decisions,
    inspection,
    officer,
    oversight,
    public,
    releases,
    requester,
    session,
)

app_name = "console"

urlpatterns = [
    path("", session.home, name="home"),
    path("sign-in/", session.sign_in, name="sign-in"),
    path("sign-out/", session.sign_out, name="sign-out"),
    path("password/", session.password, name="password"),
    path("health/", public.health, name="health"),
    path("statistics/", public.statistics, name="statistics"),
    path("statistics.csv", public.statistics_file, name="statistics-file"),
    path("august-2025/", public.august_2025, name="august-2025"),
    path("ledger/", public.ledger, name="ledger"),
    path("ledger/<path:name>", public.ledger_file, name="ledger-file"),
    path("dockets/", officer.dockets, name="dockets"),
    path("dockets/<str:name>/", officer.docket, name="docket"),
    path("dockets/<str:name>/queue/", officer.queue, name="queue"),
    path("dockets/<str:name>/cases/<int:seq>/", officer.case, name="case"),
    path("dockets/<str:name>/decide/", decisions.decide, name="decide"),
    path("dockets/<str:name>/sign/", decisions.sign, name="sign"),
    path("dockets/<str:name>/samples/<str:identifier>/", decisions.sample, name="sample"),
    path("dockets/<str:name>/decisions/", decisions.decisions, name="decisions"),
    path("dockets/<str:name>/release/", releases.release, name="release-docket"),
    path("dockets/<str:name>/recall/", releases.recall, name="recall"),
    path("dockets/<str:name>/recall/sign/", releases.recall_sign, name="recall-sign"),
    path("tasks/<str:identifier>/", releases.task, name="task"),
    path("submissions/", requester.submissions, name="submissions"),
    path("submissions/new/", requester.new, name="submission-new"),
    path("submissions/<str:name>/", requester.submission, name="submission"),
    path("submissions/<str:name>/answers.csv", requester.answers, name="answers"),
    path("submissions/<str:name>/receipt.json", requester.receipt, name="receipt"),
    path("submissions/<str:name>/releases/<str:release>", requester.release, name="release"),
    path("submissions/<str:name>/returns/", requester.give_back, name="give-back"),
    path("keys/", requester.keys, name="keys"),
    path("law/", counsel.law, name="law"),
    path("law/<str:identifier>/", counsel.pack, name="pack"),
    path("oversight/", oversight.oversight, name="oversight"),
    path("oversight/verify/", inspection.verify, name="verify"),
    path("oversight/log/", inspection.explore, name="explore"),
    path("oversight/recalls/", oversight.recalls, name="recalls"),
    path("oversight/halts/", oversight.halts, name="halts"),
    path("oversight/halts/check/", oversight.halt_check, name="halt-check"),
    path("oversight/halts/sign/", oversight.halt_sign, name="halt-sign"),
    path("oversight/dockets/<str:name>/", oversight.shape, name="shape"),
    path("oversight/dockets/<str:name>/accounted/", inspection.accounted, name="accounted"),
    path("oversight/dockets/<str:name>/replay/", inspection.replay, name="replay"),
    path("oversight/dockets/<str:name>/spot-check/", inspection.spot_check, name="spot-check"),
    path("accounts/", administration.accounts, name="accounts"),
    path("accounts/<str:username>/", administration.account, name="account"),
]
