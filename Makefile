# Sugar over ./run, which needs no make.
.DEFAULT_GOAL := help
.PHONY: help up demo test chaos pictures check format protos openapi clean

help: ## tell what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ## install what is missing and start everything here
	@./run up

demo: ## show the main job against a running stack
	@./run demo

test: ## run all tests; ARGS="tests/cli -k lock" picks some
	@./run test $(ARGS)

chaos: ## the real show with everything breaking, and all at once, fifty times (about half an hour); a nightly run
	@SHOWBILL_CHAOS_SEEDS="$$(seq -s ' ' 1 50)" SHOWBILL_STORM_SEEDS="$$(seq -s ' ' 1 50)" \
	  ./run test --numprocesses auto --dist worksteal tests/e2e/test_chaos.py tests/invoicing/test_storm.py

pictures: ## every page in every state as a PNG in pictures/, looked at by axe; STATES="show desk" picks some
	@SHOWBILL_STATES="$(STATES)" ./run test tests/browser/pictures.py

check: ## run all checks; ARGS="types lint" picks some
	@./run check $(ARGS)

format: ## write the code as the checks want it
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix . && .venv/bin/buf format -w protos

protos: ## generate services/rpc from protos/
	@PATH="$(CURDIR)/.venv/bin:$$PATH" sh protos/generate.sh

openapi: ## write docs/openapi.json as the routes have it
	@.venv/bin/python -m services.gateway.describe docs/openapi.json

clean: ## remove what was installed and cached, but no state
	rm -rf pictures .venv .bootstrap .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
