# Rebuilds the embedded family from the registries alone: about five and a half hours on two CPU cores, by the sum of
# its stages. Each can be cut and goes on where it was. Its state lies in training/work/; remove it to begin anew.
# Included by the Makefile.

TRAINING_PYTHON := .venv/bin/python
STAGE := training/work

.PHONY: family
family: $(STAGE)/evaluation.done

training/node_modules: training/package-lock.json
	@scripts/environment requirements.txt requirements-dev.txt
	cd training && npm ci --no-audit --no-fund
	touch $@

# Words and tokenizers take a second, the rest minutes; a stamp says that a stage was finished, not merely begun.
$(STAGE)/vae.done: training/node_modules
	$(TRAINING_PYTHON) -m training.words
	$(TRAINING_PYTHON) -m training.networks.tokenizer
	$(TRAINING_PYTHON) -m training.stages.vae
	touch $@

$(STAGE)/latents.done: $(STAGE)/vae.done
	$(TRAINING_PYTHON) -m training.data.latents
	$(TRAINING_PYTHON) -m training.data.edge_maps
	touch $@

# The first lesson: things near the middle.
$(STAGE)/base-middle.done: $(STAGE)/latents.done
	$(TRAINING_PYTHON) -m training.stages.base middle --processes 2
	touch $@

$(STAGE)/4step-unet-middle.done: $(STAGE)/base-middle.done
	$(TRAINING_PYTHON) -m training.stages.dmd2 4step-unet --threads 1
	touch $@

$(STAGE)/1step-unet.done: $(STAGE)/base-middle.done
	$(TRAINING_PYTHON) -m training.stages.dmd2 1step-unet --threads 1
	touch $@

# The second: things anywhere. The 4-step UNet is carried over to the new base and goes on from there; what is made of
# the old base alone is trained before.
FIRST_LESSON := 4step-unet-middle 1step-unet
$(STAGE)/base.done: $(FIRST_LESSON:%=$(STAGE)/%.done)
	$(TRAINING_PYTHON) -m training.stages.base anywhere --processes 2
	$(TRAINING_PYTHON) -m training.stages.task_vector
	touch $@

$(STAGE)/4step-unet.done: $(STAGE)/base.done
	$(TRAINING_PYTHON) -m training.stages.dmd2 4step-unet-on --processes 2
	$(TRAINING_PYTHON) -m training.stages.dmd2 4step-unet-varied --threads 1
	touch $@

$(STAGE)/1step-unet-on.done: $(STAGE)/base.done
	$(TRAINING_PYTHON) -m training.stages.dmd2 1step-unet-on --threads 1
	$(TRAINING_PYTHON) -m training.stages.dmd2 1step-unet-wide --processes 2
	touch $@

$(STAGE)/4step-lora.done: $(STAGE)/4step-unet.done
	$(TRAINING_PYTHON) -m training.stages.dmd2 4step-lora --threads 1
	touch $@

$(STAGE)/adapter.done: $(STAGE)/4step-unet.done
	$(TRAINING_PYTHON) -m training.stages.adapter latents --processes 2
	$(TRAINING_PYTHON) -m training.stages.adapter edges --processes 2
	touch $@

# The decoders learn on what the few-step UNets draw. The VAE is every base's: what is there already gets it too.
$(STAGE)/decoder.done: $(STAGE)/4step-unet.done $(STAGE)/1step-unet-on.done
	$(TRAINING_PYTHON) -m training.stages.decoder plain --processes 2
	$(TRAINING_PYTHON) -m training.stages.decoder sharp --processes 2
	touch $@

$(STAGE)/tiny-vae.done: $(STAGE)/4step-unet.done $(STAGE)/1step-unet-on.done
	$(TRAINING_PYTHON) -m training.stages.tiny_vae
	touch $@

$(STAGE)/fluent.done $(STAGE)/twemoji.done: $(STAGE)/%.done: $(STAGE)/base.done
	$(TRAINING_PYTHON) -m training.stages.communities $* --threads 1
	touch $@

$(STAGE)/styles.done: $(STAGE)/base.done
	$(TRAINING_PYTHON) -m training.stages.styles pixel --threads 1
	$(TRAINING_PYTHON) -m training.stages.styles line --threads 1
	touch $@

$(STAGE)/classifier.done: $(STAGE)/vae.done
	$(TRAINING_PYTHON) -m training.evaluation.classifier --threads 1
	touch $@

MEMBERS := 4step-unet 1step-unet-on 4step-lora fluent twemoji styles adapter decoder tiny-vae classifier
$(STAGE)/evaluation.done: $(MEMBERS:%=$(STAGE)/%.done)
	$(TRAINING_PYTHON) -m training.evaluation.figures
	$(TRAINING_PYTHON) -m training.evaluation.decoding
	$(TRAINING_PYTHON) -m training.evaluation.styles
	$(TRAINING_PYTHON) -m training.evaluation.sizes
	touch $@
