# Rebuilds the embedded family from the registries alone: about two hours on two CPU cores. Each stage can be cut and
# goes on where it was; its state lies in training/work/. Included by the Makefile.

PYTHON ?= python

training/node_modules: training/package-lock.json
	cd training && npm ci --no-audit --no-fund
	touch training/node_modules

.PHONY: family
family: training/node_modules
	$(PYTHON) -m training.words
	$(PYTHON) -m training.tokenizer
	$(PYTHON) -m training.vae
	$(PYTHON) -m training.latents
	$(PYTHON) -m training.base --processes 2
	$(PYTHON) -m training.dmd2 4step-unet --processes 2
	$(PYTHON) -m training.dmd2 1step-unet --processes 2
	$(PYTHON) -m training.dmd2 4step-lora --processes 2
	$(PYTHON) -m training.communities fluent --processes 2
	$(PYTHON) -m training.communities twemoji --processes 2
	$(PYTHON) -m training.edge_maps
	$(PYTHON) -m training.adapter base --processes 2
	$(PYTHON) -m training.adapter 4step-unet --processes 2
	$(PYTHON) -m training.classifier
	$(PYTHON) -m training.evaluate
