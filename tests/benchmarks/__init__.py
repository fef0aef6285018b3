"""Measurements of the whole program: `quality` on labelled clips, `footprint` of the command. They run for minutes, and are no tests."""
