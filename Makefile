# Two commands do everything: `make demo` and `make test`. Each target installs what it needs.

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e

.PHONY: demo test check verify faults soak cluster-test bench images kafka cameras dashboards chart clean

demo: .venv/.demo
	$(BIN)/maskstream demo $(ARGS)

test: .venv/.dev check
	@tests/setup/alertmanager.sh
	@tests/setup/chromium.sh
	@tests/setup/helm.sh
	@tests/setup/kafka.sh
	@tests/setup/kcat.sh
	@tests/setup/prometheus.sh
	@tests/setup/rtsp.sh
	$(BIN)/pytest -m "not slow and not soak and not images and not cluster and not gpu" $(ARGS)

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

faults: .venv/.dev
	@tests/setup/alertmanager.sh
	@tests/setup/compose.sh
	@tests/setup/faketime.sh
	@tests/setup/helm.sh
	@tests/setup/kafka.sh
	@tests/setup/prometheus.sh
	@tests/setup/rtsp.sh
	MASKSTREAM_FAULTS=full $(BIN)/pytest -m "slow and not gpu" $(ARGS)

verify: .venv/.dev
	@tests/setup/compose.sh
	@tests/setup/faketime.sh
	@tests/setup/helm.sh
	@tests/setup/kafka.sh
	@tests/setup/rtsp.sh
	$(BIN)/pytest -m "slow and not long and not gpu" $(ARGS)
	$(BIN)/maskstream bench --quick

soak: .venv/.dev
	@tests/setup/kafka.sh
	@tests/setup/rtsp.sh
	$(BIN)/pytest tests/soak -s $(ARGS)

cluster-test: .venv/.dev
	@tests/setup/helm.sh
	@tests/setup/kafka.sh
	@tests/setup/prometheus.sh
	@tests/setup/cluster.sh
	MASKSTREAM_REQUIRE=cluster,helm,kafka,openssl,prometheus $(BIN)/pytest tests/cluster -s $(ARGS)

bench: .venv/.dev
	$(BIN)/maskstream bench --json out/bench.json --plots out/bench $(ARGS)

images: .venv/.dev
	@tests/setup/kafka.sh
	@tests/setup/images.sh maskstream maskstream-cuda
	$(BIN)/pytest -m images tests/deploy -s $(ARGS)

kafka: .venv/.kafka
	@tests/setup/kafka.sh
	$(BIN)/python -m tests.support.kafka $(ARGS)

cameras: .venv/.kafka
	@tests/setup/rtsp.sh
	$(BIN)/python -m tests.support.rtsp $(ARGS)

dashboards: .venv/.dev
	$(BIN)/python -m dashboards

chart: .venv/.dev
	$(BIN)/python -m deploy.helm

clean:
	rm -rf .venv .cache out build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/bin/uv:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt uv

.venv/.demo: .venv/bin/uv pyproject.toml constraints.txt
	@echo "installing maskstream for a CPU, without torch"
	@$(UV) '.[openvino]'
	@touch $@

.venv/.kafka: .venv/bin/uv pyproject.toml constraints.txt
	@echo "installing maskstream with its client of Kafka, without torch"
	@$(UV) '.[openvino,kafka]' pytest
	@touch $@ .venv/.demo

.venv/.dev: .venv/bin/uv pyproject.toml constraints.txt
	@echo "installing everything the tests need: torch alone is several GB, please wait"
	@$(UV) '.[openvino,segment,int8,kafka,s3,traces,dev]'
	@touch $@ .venv/.demo .venv/.kafka
