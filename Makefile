# SPDX-License-Identifier: MIT
# A thin front door: meson and ninja do the work.

PREFIX ?= /usr/local
BUILD ?= build
CC ?= cc
FUZZ_SECONDS ?= 60
DEMO_SECONDS ?= 10

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

$(BUILD)/build.ninja:
	@command -v meson >/dev/null || { echo "meson is missing: run 'make deps' first" >&2; exit 1; }
	@said=$$(meson setup $(BUILD) --prefix=$(PREFIX) -Dtests=disabled) || \
		{ echo "$$said" | grep ERROR >&2; echo "'make deps' installs what building needs" >&2; exit 1; }

# Installs what building needs (Debian, Ubuntu).
deps:
	@tools/deps build

# Installs, builds, and records the program in demo/.
demo: deps all
	@$(BUILD)/fireglass record -o demo.html -o demo.svg -o demo.folded -f text -o - \
		-- python3 demo/press --seconds $(DEMO_SECONDS)
	@echo
	@echo "the report:       $(CURDIR)/demo.html (open it in a browser; docs/tour.md shows round)"
	@echo "a flame graph:    $(CURDIR)/demo.svg"
	@echo "folded stacks:    $(CURDIR)/demo.folded"

# Installs what the tests need, and runs all of them.
test:
	@tools/deps test
	@tools/run_tests.py --fuzz-seconds $(or $(TEST_FUZZ_SECONDS),20)

install: all
	@meson configure $(BUILD) -Dprefix=$(PREFIX) >/dev/null
	@ninja -C $(BUILD) --quiet >/dev/null
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild --quiet
	@echo "installed $(DESTDIR)$(PREFIX)/bin/fireglass"

bench: deps all
	@FIREGLASS_BIN=$(BUILD)/fireglass python3 bench/attach.py
	@python3 bench/speed/run.py --binary $(BUILD)/fireglass

# Truth, against the peers; see docs/truth.md.
oracle: deps all
	@python3 bench/oracle/run.py --binary $(BUILD)/fireglass $(ORACLE)

fuzz:
	@tools/deps test
	@tools/run_tests.py --only fuzz --fuzz-seconds $(FUZZ_SECONDS)

clean:
	@rm -rf $(BUILD) build-* demo.html demo.svg demo.folded

.PHONY: all deps demo test install bench oracle fuzz clean
