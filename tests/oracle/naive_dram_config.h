/*
 * The naive DRAM's configuration from a machine's. The presets' values are data, and taken from the same
 * rows.
 */
#ifndef LK_TESTS_ORACLE_NAIVE_DRAM_CONFIG_H
#define LK_TESTS_ORACLE_NAIVE_DRAM_CONFIG_H

#include "sim/base/config.h"
#include "tests/oracle/naive_dram.h"

struct naive_dram_config naive_dram_config_of(const struct config *config);

#endif
