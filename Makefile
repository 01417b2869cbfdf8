# make          builds bin/trapline
# make run      traces a program with it
# make test     everything that has to pass before a commit; installs what it needs or says what is missing
# make soak     the same with all long cases
# make compare-strace   says how many lines of the trace of 40 programs are strace's
# make bench    measures native, trapline and strace; installs what it needs or says what is missing
# make clean

GO      ?= go
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

# The binary is mapped a second time in every target, at the address it is linked at, and notes in trapline_start
# what it inherited (docs/architecture.md).
LDFLAGS := -T=0x70001000 -E=trapline_start -X=main.version=$(VERSION)

export CGO_ENABLED := 0
# A clone that belongs to another user has no version control status to stamp; VERSION does that.
export GOFLAGS := -buildvcs=false $(GOFLAGS)

.PHONY: build run check test soak compare-strace bench clean

build:
	$(GO) build -ldflags='$(LDFLAGS)' -o bin/trapline ./cmd/trapline

run: build
	bin/trapline trace -e trace=%process -- sh -c 'ls / | wc -l'

# The tests compile C programs and run Debian's.
check: build
	selftest/programs/install.sh
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "not formatted by gofmt:" $$files; exit 1; fi
	$(GO) vet ./...

# Other projects' test suites are for make soak. One package at a time: the suites bound what they run at once themselves.
# Cached results would be those of another bin/trapline.
test: check
	$(GO) test -v -count=1 -p=1 -short -timeout=20m $$($(GO) list ./... | grep -v /selftest/suites$$)

soak: check
	selftest/programs/install.sh selftest/programs/soakpackages.txt
	selftest/programs/install.sh selftest/suites/packages.txt
	$(GO) test -v -count=1 -p=1 -timeout=3h ./...

compare-strace: build
	selftest/programs/install.sh
	$(GO) test -v -count=1 -timeout=20m -run TestCompareStrace ./selftest/programs

bench: build
	selftest/programs/install.sh selftest/bench/packages.txt
	bin/trapline bench $(BENCHFLAGS)

clean:
	rm -rf bin dist
