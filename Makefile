# The few commands of everyday work. Each needs Rust, a C compiler (for SQLite) and make, and nothing else; `image` and `push`
# need Docker instead, `deploy` and `undeploy` kubectl and a cluster. More than one platform needs a builder that can: `docker buildx create --use`. It emulates the other one,
# which takes an hour instead of minutes; two builders, one of each kind, are quick: `docker buildx create --append`.
.DEFAULT_GOAL := help
.PHONY: help run monitor test lint bench image push deploy undeploy

IMAGES = eventservice bookingservice myevents random
TAG ?= local
PLATFORMS ?= linux/amd64,linux/arm64
REVISION = $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
# RUST_IMAGE=… takes the compiler from another place than the Dockerfile says, a mirror for example.
BUILD_ARGS = --build-arg REVISION=$(REVISION) $(if $(RUST_IMAGE),--build-arg RUST_IMAGE=$(RUST_IMAGE))

help: ## Lists these targets
	@sed -n 's/^\([a-z]*\): ## /  make \1	/p' Makefile

run: ## Starts both services in one process; Ctrl-C stops them
	cargo run --locked

monitor: ## Watches a running `make run` with Prometheus and Alertmanager (apt install both), without Docker; Ctrl-C ends it
	@tutorial/monitor.sh

test: ## Runs all tests; the last line says how many, the lines above it what was not run and why
	@.ci/test

lint: ## Formatting, lints and documentation; a warning is an error
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --workspace --test apart --test compose --test kubernetes --test cluster --test mutation --test drills --test scraped --test browser --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

bench: ## Measures how fast it is, in two to five minutes, behind the build
	cargo bench -p load --locked

image: ## Builds the four container images for this machine, as myevents/NAME:local (or TAG=…)
	@set -e; for name in $(IMAGES); do \
	  docker buildx build --load --target $$name $(BUILD_ARGS) --tag myevents/$$name:$(TAG) .; \
	done

push: ## Builds them for amd64 and arm64 and pushes them: make push REGISTRY=… TAG=…
	@test -n "$(REGISTRY)" || { echo "say where to: make push REGISTRY=registry.example/team TAG=0.1.0" >&2; exit 1; }
	@test "$(TAG)" != local || { echo "say which: make push REGISTRY=$(REGISTRY) TAG=0.1.0" >&2; exit 1; }
	@set -e; for name in $(IMAGES); do \
	  docker buildx build --push --platform $(PLATFORMS) --target $$name $(BUILD_ARGS) \
	    --tag $(REGISTRY)/$$name:$(TAG) .; \
	done

# Says which cluster, and stops before anything is mixed up: a development overlay on a production system would replace its Secret.
define on_cluster
	@test -d "deploy/overlays/$(or $(OVERLAY),?)" || { echo "say which: OVERLAY=minikube, k3s or production" >&2; exit 1; }
	@context=$$(kubectl config current-context) && echo "the cluster of kubectl: $$context"
	@there=$$(kubectl get namespace myevents --ignore-not-found -o 'jsonpath={.metadata.labels.myevents/overlay}') && \
	  case "$$there" in ""|"$(OVERLAY)") ;; *) echo "there is OVERLAY=$$there already, in the namespace myevents" >&2; exit 1 ;; esac
endef

deploy: ## Starts the whole system on the cluster of kubectl: make deploy OVERLAY=minikube (or k3s, production)
	$(on_cluster)
	kubectl apply -k deploy/overlays/$(OVERLAY)
	@kubectl -n myevents get secret/myevents configmap/links -o name >/dev/null || { echo "make it first: README, In production" >&2; exit 1; }
	kubectl -n myevents rollout status deployment,statefulset --timeout 5m

undeploy: ## Takes it away again, but for the namespace and what is stored; with VOLUMES=1 those, too
	$(on_cluster)
	kubectl delete -k deploy/overlays/$(OVERLAY) --ignore-not-found $(if $(VOLUMES),,-l app.kubernetes.io/component!=namespace)
