# Go and make suffice for every target (lint and fmt build their tool the first time, which takes a minute or two).

GO ?= go

# What `oms_exporter --version` says. Neither git nor a clone is needed.
info     = github.com/prometheus/common/version
revision = $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
branch   = $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null || echo unknown)
builder  = $(shell id -un)@$(shell uname -n)
date     = $(shell date -u +%Y%m%d-%H:%M:%S)
ldflags  = -X $(info).Version=$(shell cat VERSION) \
	-X $(info).Revision=$(revision) \
	-X $(info).Branch=$(branch) \
	-X $(info).BuildUser=$(builder) \
	-X $(info).BuildDate=$(date)

# Where "make tools" puts the programs that the tests start.
bin = $(CURDIR)/.build/bin
export PATH := $(bin):$(CURDIR)/.build/servers/bin:$(PATH)

golangci-lint = $(GO) tool -modfile=tools/go.mod golangci-lint

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build ./oms_exporter
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w $(ldflags)' -o oms_exporter ./cmd/oms_exporter

.PHONY: release
release: ## tarballs, bills of materials and checksums of the commit, in .tarballs; PLATFORMS=linux/amd64 makes one; with GNU tar
	.ci/release $(PLATFORMS)

.PHONY: demo
demo: build ## watch four simulated clients: no database and no configuration needed; DEMOFLAGS=--web.listen-address=:9999 uses another port
	./oms_exporter demo $(DEMOFLAGS)

# SQLite is C translated to Go: under the race detector it is ten times slower, and none of it is ours. What is around it stays visible to
# the detector: what it makes of generic code, of sync.Map for example, may be linked for all.
race = -race -gcflags='modernc.org/...=-d=checkptr=0' -gcflags='modernc.org/sqlite/lib=-race=false -d=checkptr=0'

# These take minutes under the race detector: they run with it as far as -short has them, but for TestPlans, in which nothing happens
# at once, and beside that in full without it.
long = FuzzRows|Test(Agreement|DemoFaults|FaultsLast|FaultsShowAtOnce|HealthyWeek|Matrix|Plans|RunIDs|Uploads)
with-long = $(sort $(dir $(shell grep -rlE '^func ($(long))\>' --include='*_test.go' ./cmd ./collector ./internal)))

# Much of the tests' time is spent waiting for servers: twice as many packages as there are processors run at a time. What is tested
# has been vetted before, and what only debuggers need is not linked.
tested = $(GO) test -vet=off -ldflags=-w -timeout=20m
many = -p=$(shell expr 2 '*' $$(getconf _NPROCESSORS_ONLN))

# What takes longest comes first, so that nothing is left to run alone.
slowest = ./test ./cmd/... ./internal/oms/sqldb ./internal/sqlread ./internal/behaviour ./rules

# The tests add what they leave out to the file NOT_TESTED.
.PHONY: test
test: ## vet and run every test; TESTFLAGS=-v says more; tests whose server is not installed are skipped, and listed at the end
	$(GO) vet ./...
	@export NOT_TESTED=$$(mktemp); trap '{ set +x; } 2>/dev/null; \
		if [ -s $$NOT_TESTED ]; then echo "Not tested here:"; sort -u $$NOT_TESTED | sed "s/^/  /"; fi; rm -f $$NOT_TESTED' EXIT; \
	if $(GO) build -race runtime/cgo 2>/dev/null; then set -ex; \
		$(tested) $(race) $(many) -skip='^($(long))$$' $(TESTFLAGS) $(slowest) ./...; \
		$(tested) $(race) -run='^($(long))$$' -skip='^TestPlans$$' $(TESTFLAGS) -short -v=false $(with-long) & \
		$(tested) -run='^($(long))$$' $(TESTFLAGS) $(with-long) || failed=1; \
		wait $$! && [ -z "$$failed" ]; \
	else echo 'No C compiler: the tests run without the race detector.'; \
		echo 'data races: install a C compiler' >$$NOT_TESTED; \
		set -ex; $(tested) $(many) $(TESTFLAGS) ./...; fi

.PHONY: test-quick
test-quick: ## the tests that need no server and take no time, without the race detector: under a minute
	$(GO) test -short $(TESTFLAGS) ./...

MUTANTS ?= 60
SEED ?= 1

.PHONY: test-mutants
test-mutants: ## how many of MUTANTS=60 small faults, drawn by SEED=1, the tests of PACKAGE=./rules notice, and which not
	$(GO) run ./internal/mutants -n=$(MUTANTS) -seed=$(SEED) $(PACKAGE) $(TESTFLAGS)

.PHONY: e2e
e2e: tools ## every fault of the demo, through Prometheus and Alertmanager, to a webhook
	$(GO) test -tags=e2e -count=1 -timeout=15m -v ./internal/e2e

.PHONY: faults
faults: build ## each fault of one client beside 30 that are well: a table of what it costs them; about 15 minutes; SOAK=1h: random faults for an hour, with the race detector
	REQUIRE_SERVERS=1 $(GO) test -tags=faults -count=1 -timeout=3h -v -run='^Test$(if $(SOAK),Soak,Faults)$$' ./internal/faults

FUZZTIME ?= 1m

# As "go test -fuzz" does it, but for one thing: it would watch which code is reached in SQLite, too, which makes all five times slower.
# What goroutines reach varies, so that each input looks new, and minimizing would never end.
.PHONY: fuzz
fuzz: ## rows of any kind in the tables of an OMS, for FUZZTIME=1m; what fails is kept in internal/behaviour/testdata/fuzz
	@mkdir -p .build
	$(GO) test -c -gcflags='$(shell $(GO) list -m)/...=-d=libfuzzer' -o .build/fuzz.test ./internal/behaviour
	cd internal/behaviour && ../../.build/fuzz.test -test.run='^$$' -test.fuzz='^FuzzRows$$' -test.fuzztime=$(FUZZTIME) \
		-test.fuzzminimizetime=1x -test.fuzzcachedir=../../.build/fuzz

.PHONY: pictures
pictures: ## show the status page in Chromium, look for what is cut off or cannot be read, and write docs/status.png; about 2 minutes
	REQUIRE_SERVERS=1 $(GO) test -tags=pictures -count=1 -timeout=15m -v -run='^TestPictures$$' ./cmd/oms_exporter

SPAN ?= 744h

.PHONY: month
month: ## 31 simulated days under the shipped rules: no alert in health, a prompt one for each fault, and what is foreseen; SPAN=2184h: three months
	cd test/month && $(GO) test -count=1 -timeout=5h -v -run='^Test(Month|Foresight|Stalls)$$' -span=$(SPAN)

# All servers must be there ("make servers"). For both targets, HISTORY is the length of the past, 1 for 5 million orders, and DATA
# another folder than .build/bench, for who runs as root below a folder that nobody else may enter. ANCHOR is when the data
# end, SCRAPES how many are made (300), of no more clients than that, PEER a sql_exporter, REPORT another file than
# BENCHMARK.md, as an absolute path.
bench = $(GO) test -tags=bench -count=1 -timeout=2h -v

.PHONY: bench-data
bench-data: ## fill MariaDB, MySQL and PostgreSQL with the data of a large client, below .build/bench; about 10 minutes, 33 GB
	REQUIRE_SERVERS=1 $(bench) -run='^TestData$$' ./internal/bench

.PHONY: bench
bench: build ## measure the exporter beside a peer on those data, and write BENCHMARK.md; about 50 minutes
	REQUIRE_SERVERS=1 $(bench) -run='^TestBench$$' ./internal/bench

# The tag leaves out the service discoveries, some of which depend on modules that cannot be had.
.PHONY: tools
tools: ## build Prometheus, promtool, Alertmanager and amtool for the tests; about 7 minutes the first time
	GOBIN=$(bin) $(GO) -C tools/prometheus install -tags remove_all_sd tool
	GOBIN=$(bin) $(GO) -C tools/alertmanager install tool

# For who runs the tests as root below a folder that nobody else may enter, SERVERS names another one: servers run as other
# users.
SERVERS ?= $(CURDIR)/.build/servers

.PHONY: servers
servers: ## fetch MySQL, and newer MariaDB and PostgreSQL, for the tests (Debian); nothing is installed; about 40 seconds, 1 GB
	rm -rf $(SERVERS)
	tools/servers/fetch $(SERVERS)

# The programs of the virtual environment find it through the link. What takes long to make, Superset's own database, is
# copied for each test.
superset = $(CURDIR)/.build/superset
superset-run = SUPERSET_HOME=$(superset) SUPERSET_CONFIG_PATH=$(superset)/superset_config.py $(superset)/bin/superset

.PHONY: superset
superset: $(bin)/superset ## install Apache Superset for the tests (Python 3.11); about 3 minutes the first time
$(bin)/superset: tools/superset/requirements.txt tools/superset/superset_config.py
	rm -rf $@ $(superset)
	python3 -m venv $(superset)
	$(superset)/bin/pip install --quiet --disable-pip-version-check --requirement=tools/superset/requirements.txt
	cp tools/superset/superset_config.py $(superset)
	$(superset-run) db upgrade
	$(superset-run) fab create-admin --username=admin --password=admin --firstname=A --lastname=B --email=admin@localhost
	$(superset-run) init
	mkdir -p $(bin) && ln -s $(superset)/bin/superset $@

.PHONY: generate
generate: ## write what follows from code and rules: tables in documents, grants, dashboards, rules for Kubernetes
	$(GO) run ./internal/generate
	$(GO) generate ./dashboards
	$(GO) test -count=1 -run='^TestGrants$$' ./internal/oms/sqldb -update

.PHONY: lint
lint: ## judge the code by .golangci.yml
	$(golangci-lint) run
	$(golangci-lint) run --build-tags=e2e ./internal/e2e
	$(golangci-lint) run --build-tags=bench ./internal/bench
	$(golangci-lint) run --build-tags=faults ./internal/faults
	$(golangci-lint) run --build-tags=pictures ./cmd/oms_exporter
	cd test/month && $(GO) tool -modfile=../../tools/go.mod golangci-lint run
	cd test/manifests && $(GO) tool -modfile=../../tools/go.mod golangci-lint run

.PHONY: fmt
fmt: ## format the code
	$(golangci-lint) fmt

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf oms_exporter .build .tarballs
