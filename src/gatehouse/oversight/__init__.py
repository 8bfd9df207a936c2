"""Those who watch: replay a docket, explain one request, count and report, all from what was kept.

Nothing here can change a determination, an approval or a release.
"""
