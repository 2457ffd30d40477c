"""Untrained networks with SDXL's roles and our sizes. Reads no files and knows no data."""
