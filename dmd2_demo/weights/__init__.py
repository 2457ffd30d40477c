"""Files become modules: safetensors, single files and pickles, and the UNet that a LoRA is merged into."""
