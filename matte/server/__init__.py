"""`matte serve`: the page and the API, for one machine or a few people who trust each other.

A request passes `guard.py` (who may) and its route (what is asked), waits in `jobs.py` (a bounded
queue in front of a few threads), and is answered by `steps.py`, which keeps what the steps of a
picture found, so that only what changed runs again.
"""
