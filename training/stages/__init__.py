"""The commands that train: each goes on where it was cut, and writes what it made into the family."""
