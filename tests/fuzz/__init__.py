"""Hostile files: small ones are drawn, broken in ways that know their structure, and read in processes with limits.

    python -m tests.fuzz [--files 20000] [--first 0] [--kind mp4] [--json OUT.json] [--keep FOLDER] [--processes 2]
    python -m tests.fuzz --seed 4711 [--kind mp4] --write FILE

Each ends as a result or as one line that says what is wrong. The number of a file (its seed) says what it is, so that the second command
writes it again.
"""
