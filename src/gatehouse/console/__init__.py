"""The console: pages for disclosure officers, requesting agencies, counsel, inspectors and the public.

A Django app over the rooms. It shows what the files of a docket say and passes people's acts to the pipeline; it
decides nothing itself. `accounts.create` makes the people who may sign in.
"""
