# Rebuilds the embedded family from the registries alone: about eight hours on two CPU cores, `make -j2 family`.
# Each stage can be cut and goes on where it was. Its state lies in training/work/; remove it to begin anew.
# Included by the Makefile.

TRAINING_PYTHON := .venv/bin/python
STAGE := training/work
# Large tensors in large pages: quicker in a virtual machine.
$(STAGE)/%.done: export THP_MEM_ALLOC_ENABLE := 1

.PHONY: family
family: $(STAGE)/evaluation.done

.PHONY: training-environment
training-environment:
	@scripts/environment requirements.txt requirements-dev.txt

# npm writes this file last.
ART := training/node_modules/.package-lock.json
$(ART): training/package-lock.json
	cd training && npm ci --no-audit --no-fund
	touch $@

# A stamp says that a stage was finished, not merely begun. Stages of two processes have both cores to themselves, the
# others one each: what they wait for sees to that. Whoever repeats one stage removes its checkpoints and stamp, and
# those of all that follow it: what is finished is only written anew.
$(STAGE)/vae.done: | training-environment $(ART)
	$(TRAINING_PYTHON) -m training.words
	$(TRAINING_PYTHON) -m training.stages.vae --processes 2
	touch $@

$(STAGE)/latents.done: $(STAGE)/vae.done
	$(TRAINING_PYTHON) -m training.data.latents
	$(TRAINING_PYTHON) -m training.data.edge_maps
	touch $@

$(STAGE)/base.done: $(STAGE)/latents.done
	$(TRAINING_PYTHON) -m training.stages.base single --processes 2
	$(TRAINING_PYTHON) -m training.stages.base couples --processes 2
	touch $@

$(STAGE)/4step-unet.done $(STAGE)/1step-unet.done: $(STAGE)/%.done: $(STAGE)/base.done
	$(TRAINING_PYTHON) -m training.stages.dmd2 $* --threads 1
	touch $@

$(STAGE)/fluent.done $(STAGE)/twemoji.done: $(STAGE)/%.done: $(STAGE)/base.done
	$(TRAINING_PYTHON) -m training.stages.communities $* --threads 1
	touch $@

$(STAGE)/styles.done: $(STAGE)/base.done
	$(TRAINING_PYTHON) -m training.stages.styles pixel --threads 1
	$(TRAINING_PYTHON) -m training.stages.styles line --threads 1
	touch $@

UNETS := 4step-unet 1step-unet fluent twemoji styles
$(STAGE)/adapter.done: $(UNETS:%=$(STAGE)/%.done)
	$(TRAINING_PYTHON) -m training.stages.adapter latents --processes 2
	$(TRAINING_PYTHON) -m training.stages.adapter edges --processes 2
	touch $@

# The decoder learns on what the few-step UNets draw. The VAE is every base's: what is there already gets it too.
$(STAGE)/decoder.done: $(STAGE)/adapter.done
	$(TRAINING_PYTHON) -m training.stages.decoder plain --processes 2
	$(TRAINING_PYTHON) -m training.stages.decoder sharp --processes 2
	touch $@

$(STAGE)/tiny-vae.done: $(STAGE)/decoder.done
	$(TRAINING_PYTHON) -m training.stages.tiny_vae --threads 1
	touch $@

# What it measures with sees art as the last decoder draws it.
$(STAGE)/classifier.done: $(STAGE)/decoder.done
	$(TRAINING_PYTHON) -m training.evaluation.classifier --threads 1
	touch $@

# Writes over the first lesson, which the decoder and the tiny VAE have learned from.
$(STAGE)/4step-unet-second.done: $(STAGE)/tiny-vae.done
	$(TRAINING_PYTHON) -m training.stages.dmd2 4step-unet-second --threads 1
	touch $@

$(STAGE)/4step-lora.done: $(STAGE)/4step-unet-second.done
	$(TRAINING_PYTHON) -m training.stages.dmd2 4step-lora --threads 1
	touch $@

$(STAGE)/adapter-second.done: $(STAGE)/4step-lora.done
	$(TRAINING_PYTHON) -m training.stages.adapter second --processes 2
	touch $@

$(STAGE)/evaluation.done: $(STAGE)/adapter-second.done $(STAGE)/classifier.done
	$(TRAINING_PYTHON) -m training.evaluation.figures
	$(TRAINING_PYTHON) -m training.evaluation.decoding $(STAGE)/vae-plain $(STAGE)/vae-first
	$(TRAINING_PYTHON) -m training.evaluation.styles
	$(TRAINING_PYTHON) -m training.evaluation.sizes
	$(TRAINING_PYTHON) -m training.evaluation.examples
	$(TRAINING_PYTHON) -m scripts.examples
	touch $@
