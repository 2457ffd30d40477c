"""The family's files in the hub's own layout, read and written. Knows nothing of how they were trained."""
