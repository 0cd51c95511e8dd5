# Shared by the Makefiles that `sam build` calls. They stand in their source folder (build_in_source in samconfig.toml).
ROOT       := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)
ORIEL_ARCH ?= arm64
PACKAGE     = $(MAKE) -s -C "$(ROOT)" .venv/bootstrap.stamp && "$(ROOT)/.venv/bin/python" "$(ROOT)/tools/package.py" --arch $(ORIEL_ARCH)
