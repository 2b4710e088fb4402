# Thin on purpose: the logic is in dev/, on the standard library alone.
#
#   make run PYTHON=/path/to/python3.12
#   make test ARGS="-k resume"

.PHONY: help run cluster test check ci bench format clean

help:
	@echo "make run     start the server with its chat page; Ctrl-C ends it"
	@echo "make cluster start three nodes behind nginx, with Redis and MongoDB; Ctrl-C ends all"
	@echo "make test    run all tests                    ARGS=\"-k resume\" for some"
	@echo "make check   format, lint, types, imports, then all tests"
	@echo "make ci      check, then the quick tests on every other Python found"
	@echo "make bench   measure; see bench/README.md"
	@echo "make format  put the code into shape"
	@echo "make clean   remove what the tools made; ./data stays"

run cluster test check ci bench format clean:
	@python=$$(dev/find-python) && exec "$$python" -m dev $@ $(ARGS)
