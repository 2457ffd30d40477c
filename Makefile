.PHONY: demo test family

# Opens the page: make demo ARGS="--port 7861"
demo:
	@scripts/environment requirements.txt
	@.venv/bin/python app.py $(ARGS)

# Format, lint, types and every test, browser tests included: make test ARGS="-k manager"
test:
	@scripts/environment requirements.txt requirements-dev.txt
	@scripts/check $(ARGS)

include training/family.mk
