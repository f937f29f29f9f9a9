# Every target is a verb of ./run: `make demo` is `./run demo`, `make test ARGS="tests/vitals"` passes arguments on.
VERBS := demo test check bench prove score vectors county conform wheels package docs

.PHONY: $(VERBS) help
help:
	@./run --help

$(VERBS):
	@./run $@ $(ARGS)
