# make demo, make test: nothing but make and Python 3.11 or newer has to be there beforehand.
# Everything is installed into .venv beside this file; the stamps in it say what is there already.

VENV = .venv
PY = $(VENV)/bin/python
PIP = $(PY) -m pip --disable-pip-version-check install --quiet
# Workers of the test run, and further arguments for pytest or the benchmarks: make test JOBS=4 ARGS="tests/services"
JOBS = 2
ARGS =

.PHONY: help demo demo-once test bench bench-feedback bench-audience corpus faults realmail words check clean

help:
	@echo "make demo        start the sample host with everything it needs; RESET=1 starts over"
	@echo "make demo-once   send one mailing from end to end, without a browser, and print what became of it"
	@echo "make test        run all tests (JOBS=2 workers; ARGS= goes to pytest)"
	@echo "make bench       measure the engine beside its peers, about 20 minutes (ARGS=--quick, ARGS=\"race fill\")"
	@echo "make bench-feedback  measure what comes back: tracking, bounces, pages (ARGS=--quick, ARGS=\"flush\")"
	@echo "make bench-audience  measure who gets it: funnel, criteria, import, screens at 1M (ARGS=--quick, ARGS=\"funnel\")"
	@echo "make realmail    read real bounces of Postfix from Dovecot, two minutes (root; apt install postfix dovecot-imapd ...)"
	@echo "make corpus      measure the readers of bounces and webhooks on labelled mails (CORPUS=folder)"
	@echo "make faults      kill, cut off and fill up real processes, about 80 minutes (ARGS=--quick, ARGS=\"kills-sqlite\")"
	@echo "make words       gather what the recipients' pages say into the catalogues of the languages"
	@echo "make check       lint, types, floors of the house, docs"
	@echo "make clean       remove $(VENV), var/ and all caches"

demo: $(VENV)/stamp-demo
	@exec $(PY) -m sample_host.demo $(if $(RESET),--reset)

demo-once: $(VENV)/stamp-demo
	@exec $(PY) -m sample_host.demo_once

test: $(VENV)/stamp-test
	@exec $(PY) -m pytest -n $(JOBS) --dist loadgroup $(ARGS)

bench: $(VENV)/stamp-bench
	@exec $(PY) -m bench $(ARGS)

bench-feedback: $(VENV)/stamp-bench
	@exec $(PY) -m bench.feedback $(ARGS)

bench-audience: $(VENV)/stamp-bench
	@exec $(PY) -m bench.audience $(ARGS)

corpus: $(VENV)/stamp-package
	@exec $(PY) -m corpus_check $(CORPUS) $(ARGS)

faults: $(VENV)/stamp-test
	@exec $(PY) -m faults $(ARGS)

realmail: $(VENV)/stamp-test
	@exec $(PY) -m realmail

words: $(VENV)/stamp-test
	@mkdir -p var
	@$(VENV)/bin/pybabel -q extract -F pyproject.toml -k plural:1,2 --no-location --omit-header --sort-by-file -o var/massmail.pot .
	@for file in massmail_plugin/translations/*/LC_MESSAGES/massmail.po; do \
	  $(PY) -c "import polib, sys; po = polib.pofile(sys.argv[1], wrapwidth=100); \
	po.merge(polib.pofile('var/massmail.pot')); [po.remove(one) for one in po.obsolete_entries()]; po.save(); \
	print(sys.argv[1], f'{po.percent_translated()} %')" $$file; \
	done

check: $(VENV)/stamp-check
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	@tests=""; for room in tests/docs tests/house_rules; do if [ -d $$room ]; then tests="$$tests $$room"; fi; done; \
	if [ -n "$$tests" ]; then exec $(PY) -m pytest -q $$tests; fi

clean:
	rm -rf $(VENV) var build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf massmail_plugin/static/vendor
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/stamp-demo: $(VENV)/stamp-package
	@echo "Installing what the sample host needs ..."
	@$(PIP) --group demo
	@touch $@

$(VENV)/stamp-test: $(VENV)/stamp-package
	@echo "Installing what the tests need ..."
	@$(PIP) --group test
	@touch $@

$(VENV)/stamp-bench: $(VENV)/stamp-package
	@echo "Installing what the benchmarks need ..."
	@$(PIP) --group bench
	@touch $@

$(VENV)/stamp-check: $(VENV)/stamp-package
	@echo "Installing what the checks need ..."
	@$(PIP) --group check
	@touch $@

$(VENV)/stamp-package: $(VENV)/stamp-venv pyproject.toml hatch_build.py package.json package-lock.json
	@echo "Installing massmail-plugin into $(VENV) ..."
	@$(PIP) --editable .
	@if [ ! -f massmail_plugin/static/vendor/vendor.json ]; then \
	  echo "WARNING: the browser libraries could not be fetched from the npm registry."; \
	  echo "         Pages will reload instead of updating in place; everything else works."; \
	  echo "         To try again: rm $@ and run make once more."; \
	fi
	@touch $@

# Debian's pip is too old to know dependency groups, so the virtualenv gets a newer one of its own.
$(VENV)/stamp-venv:
	@if $(PY) -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then exit 0; fi; \
	found=; for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "massmail-plugin needs Python 3.11 or newer, and none was found on PATH."; \
	  echo "Install one, or name it: make PYTHON=/path/to/python3.13 ..."; exit 1; \
	fi; \
	if ! "$$found" -c 'import venv, ensurepip; ensurepip.version()' >/dev/null 2>&1; then \
	  echo "$$("$$found" -c 'import sys; print(sys.executable, "can not make virtual environments: Debian keeps that in a package of its own.")')"; \
	  echo "Install this one, then run make again:"; \
	  echo "    apt install $$("$$found" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"; exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$found" --version) ..."; \
	"$$found" -m venv --clear $(VENV)
	@$(PIP) --upgrade 'pip>=25.1'
	@touch $@
