"""Noise, prediction, sampling and distribution matching on plain networks. Knows no files and no data."""
