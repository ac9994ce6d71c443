"""An attack on matte: damaged files, interruptions, full disks and odd surroundings, by seed.

`python tests/attack/run.py --help` says how it is run; pytest collects none of it.
"""
