"""The commands that measure the trained family and draw its sheets. Nothing here trains the family."""
