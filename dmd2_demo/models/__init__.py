"""What there is, as data: families, their parts, where these lie, which files they need. No torch, no network."""
