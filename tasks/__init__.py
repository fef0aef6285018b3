"""Stages, and what they are made of. OpenCV refuses larger pictures by their header; it reads that once, when it is loaded."""

import os

MOST_PIXELS = 100_000_000
os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(MOST_PIXELS)
