# On a fresh machine with Python 3.11+, git and make, each target does its own set-up.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.installed

.PHONY: report test test-slow test-newest lint lock notebooks clean

# The weekly report of the fixture shop; another with `make report SHOP=path/to/shop`.
SHOP ?= shop
report: $(READY)
	$(BIN)/ecomkit report $(SHOP)

# Unit tests, notebook checks, and every stored output of the notebooks.
test: $(READY)
	$(BIN)/ecomkit build shop
	$(BIN)/ecomkit build tiny
	$(BIN)/python -m pytest -m "not slow" -n auto --dist worksteal
	$(BIN)/python -m pytest --nbval --nbval-current-env --nbval-cell-timeout=120 -n auto --dist loadfile notebooks

# Many shops, many kills, many spoiled lines.
test-slow: $(READY)
	$(BIN)/python -m pytest -m slow -n auto --dist loadfile

# The same tests on the newest versions that pyproject.toml allows.
test-newest:
	$(PYTHON) -m venv .venv-newest
	.venv-newest/bin/python -m pip install --quiet --upgrade -e ".[dev,postgres]"
	.venv-newest/bin/python -m pytest -m "not slow"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Run the notebooks on the fixture shop and store their outputs, and nothing of the machine that ran them.
notebooks: $(READY)
	$(BIN)/python -m nbconvert --to notebook --execute --inplace \
		--ExecutePreprocessor.record_timing=False \
		--ClearMetadataPreprocessor.enabled=True --ClearMetadataPreprocessor.clear_cell_metadata=False \
		"--ClearMetadataPreprocessor.preserve_nb_metadata_mask={'kernelspec', ('language_info', 'name')}" notebooks/*.ipynb

# Names, versions and hashes, no address.
lock: $(READY)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra postgres --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --output-file requirements.lock

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps -e .
	touch $@

clean:
	rm -rf .venv .venv-newest .ecomkit reports
