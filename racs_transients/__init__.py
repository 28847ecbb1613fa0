"""Find what appeared, vanished or changed between ASKAP images and SUMSS or NVSS."""

__version__ = "0.1.0"
