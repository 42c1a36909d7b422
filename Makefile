# Needs Python 3.11+ and make; everything else is installed below this folder, at the versions of requirements.lock.
.DEFAULT_GOAL := help
.PHONY: help venv demo stop status reset test test-long test-model lint format bench lock

# The first of these that is new enough; `make PYTHON=/path/to/python ...` overrides.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
RUN := .venv/bin/python
SOURCES := saas tenants billing monitoring tests manage.py
# Settings are read for their names only: nothing is connected to.
OFFLINE := ZONE=intranet PROCESS=cli DATABASE_URL=postgresql://nobody@127.0.0.1:1/none \
	OWNER_DATABASE_URL=postgresql://nobody@127.0.0.1:1/none \
	VAULT_ADDR=http://127.0.0.1:1 VAULT_ROLE_ID=none VAULT_SECRET_ID=none \
	SECRET_KEY=for-checks-only-for-checks-only-for-checks-only

help: ## this list
	@echo "云署 / Yunshu. Needs Python 3.11+ and make."
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '%-18s %s\n' "$$name" "$$text"; done

venv:
	@test -n "$(PYTHON)" || { echo "需要 Python 3.11 以上 / Python 3.11 or newer was not found" >&2; exit 1; }
	@$(PYTHON) saas/embedded/install.py

demo: venv ## start the cloud here: databases, keys, three zones, demo bureaus; prints addresses and sign-ins
	@$(RUN) -m saas.embedded up

stop: venv ## stop it; nothing stays running, all data is kept
	@$(RUN) -m saas.embedded stop

status: venv ## what runs
	@$(RUN) -m saas.embedded status

reset: venv ## stop it and delete all of its data
	@$(RUN) -m saas.embedded reset

# pytest's last line is the last line: the management zone is a run of its own, and comes first.
test: venv ## all tests but the long ones
	@$(RUN) -m saas.embedded.fonts
	ZONE=management $(RUN) -m pytest tests/management -m "not long" $(PYTEST)
	$(RUN) -m pytest tests --ignore=tests/management -m "not long" -n 2 --dist loadfile $(PYTEST)

test-long: venv ## the long batteries
	@$(RUN) -m saas.embedded.fonts
	$(RUN) -m pytest tests --ignore=tests/management -m long $(PYTEST)

test-model: venv ## the approval engine against its rules: 10,000 examples in memory, 2,000 on PostgreSQL, 200 kills
	MODEL_EXAMPLES=10000 $(RUN) -m pytest tests/approvals/model/test_in_memory.py $(PYTEST)
	MODEL_EXAMPLES_POSTGRES=2000 $(RUN) -m pytest tests/approvals/model/test_on_postgres.py \
		tests/approvals/test_mixed_acts.py tests/approvals/test_storm.py $(PYTEST)

lint: venv ## style, types, layers, templates, missing migrations
	$(RUN) -m ruff check $(wildcard $(SOURCES))
	$(RUN) -m ruff format --check $(wildcard $(SOURCES))
	$(OFFLINE) $(RUN) -m mypy $(wildcard $(SOURCES))
	$(RUN) -c 'import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())'
	$(RUN) -m djlint --quiet --lint saas
	$(OFFLINE) $(RUN) manage.py makemigrations --check --dry-run

format: venv ## bring code and templates into form
	$(RUN) -m ruff check --fix $(wildcard $(SOURCES))
	$(RUN) -m ruff format $(wildcard $(SOURCES))

bench: venv ## the figures; make bench ONLY=NAME for one
	$(RUN) -m tests.benchmarks $(ONLY)

lock: venv ## write requirements.lock anew from pyproject.toml
	.venv/bin/uv pip compile --generate-hashes --python-version 3.11 --all-extras \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links -q pyproject.toml -o requirements.lock
