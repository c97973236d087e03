# Everything goes through `npm run`: it puts node_modules/.bin first on the PATH, so that the Node that the lock file pins runs,
# whatever the machine's own is.
.DEFAULT_GOAL := help
.PHONY: up down demo test test-slow sabotage model sweep verify generate bench-cutover bench-guard bench-kit bench-lag format clean help supported

installed := node_modules/.package-lock.json

# Only when the lock file is newer: then exactly what it says.
$(installed): package-lock.json | supported
	npm ci
	@touch $@

supported:
	@case "$$(uname -sm)" in 'Linux x86_64') ;; *) echo "Cluster Generations runs on Linux x64 only so far; this is $$(uname -sm)." >&2; exit 2 ;; esac
	@command -v npm >/dev/null || { echo 'npm is missing: install Node.js 20 or newer.' >&2; exit 2; }

up: $(installed) ## Start a control plane, a simulated cloud and the operator; they stay until `make down`
	@npm run --silent up

down: $(installed) ## End what `make up` started
	@npm run --silent down

demo: $(installed) ## Replay the outage of 9 October 2023: a few minutes, more on a busy machine
	@npm run --silent demo

test: $(installed) ## Run every test that does not take minutes by itself
	@npm test -- --ignoreProjects slow

test-slow: $(installed) ## Run the matrices and sweeps of the guard, crashes, restores
	@npm test -- --selectProjects slow

sabotage: $(installed) ## Take every check of the guard out in turn and require that a test notices
	@npm run --silent sabotage

sweep: $(installed) ## Kill the operator before and after each write of a cutover and of a rollback
	@npm run --silent sweep

model: $(installed) ## Explore all that two operators and people can do to a cutover, and take its protections out in turn
	@npm run --silent model

verify: $(installed) ## Check format, lint and types, generate again, and require that nothing differs
	@npm run --silent verify

generate: $(installed) ## Write crds/, the chart's copies of them and manifests/ from the schemas
	@npm run --silent generate

bench-kit: $(installed) ## Measure the operator kit beside a Go controller-runtime cache
	@npm run --silent bench-kit

bench-cutover: $(installed) ## Measure a cutover of 200 machines beside the calls that it is made of
	@npm run --silent bench-cutover

bench-guard: $(installed) ## Measure what the guard's policies cost, and its webhook beside one of controller-runtime in Go
	@npm run --silent bench-guard

bench-lag: $(installed) ## Measure how far the guard's policies are behind a status write, 1,000 times
	@npm run --silent bench-lag

format: $(installed) ## Format the code and apply the linter's safe fixes
	@npm run --silent format

clean: ## Remove what was installed and built in the tree
	rm -rf node_modules dist coverage

help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
