"""DMD2 in the browser: pictures in one or four steps."""

__version__ = "0.1.0"
