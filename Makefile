# Everything goes through `npm run`: it puts node_modules/.bin first on the PATH, so that the Node that the lock file pins runs,
# whatever the machine's own is.
.DEFAULT_GOAL := help
.PHONY: up down demo test verify generate bench-kit format clean help

installed := node_modules/.package-lock.json

# Only when the lock file is newer: then exactly what it says.
$(installed): package-lock.json
	npm ci
	@touch $@

up: $(installed) ## Start a control plane, a simulated cloud and the operator; they stay until `make down`
	@npm run --silent up

down: $(installed) ## End what `make up` started
	@npm run --silent down

demo: $(installed) ## Replay the outage of 9 October 2023, under five minutes
	@npm run --silent demo

test: $(installed) ## Run every test
	@npm test

verify: generate ## Check format, lint, types, and that everything generated is committed
	npm run --silent lint
	npm run --silent typecheck
	@changed=$$(git status --porcelain -- crds charts manifests); \
	if [ -n "$$changed" ]; then \
	  printf 'These differ from what is committed; commit them after `make generate`:\n%s\n' "$$changed"; exit 1; \
	fi

generate: $(installed) ## Write crds/, the chart's copies of them and manifests/ from the schemas
	npm run --silent generate

bench-kit: $(installed) ## Measure the operator kit beside a Go controller-runtime cache
	@npm run --silent bench-kit

format: $(installed) ## Format the code and apply the linter's safe fixes
	npm run --silent format

clean: ## Remove what was installed and built in the tree
	rm -rf node_modules dist coverage

help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
