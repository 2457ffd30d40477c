"""DMD2 in the browser: pictures in one or four steps."""
