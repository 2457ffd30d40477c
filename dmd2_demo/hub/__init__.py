"""A file's way onto this disk: cache, downloads, refusals, what kind of model a repository holds. No torch."""
