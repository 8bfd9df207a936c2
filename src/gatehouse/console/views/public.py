"""Pages that need no account: statistics, the public log, and the documented exchange of August 2025."""

from django.shortcuts import render
from gatehouse.console.guard import public


@public
def statistics(request):
    return render(request, "console/base.html")


@public
def ledger(request):
    return render(request, "console/base.html")


@public
def august_2025(request):
    return render(request, "console/base.html")
