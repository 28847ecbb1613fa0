#!/usr/bin/env python3
"""Compare ASKAP images with SUMSS or NVSS; ``processASKAPimage.py --help`` lists the options."""

from racs_transients.cli import process_askap_image

if __name__ == "__main__":
    raise SystemExit(process_askap_image())
