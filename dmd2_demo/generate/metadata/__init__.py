"""What picture files say about how they were made: ours are written here, and those of other tools are read."""
