"""Untrained networks with SDXL's roles and our sizes. Knows no files and no data."""
