"""What is trained on: art, composites of it, their latents, edge maps and captions."""
