"""Where modules compute: device, precision, attention, memory tiers, offload. Knows torch's modules and no parts."""
