/*
 * What a run said of itself: its statistics and its configuration, as JSON. Where something is not there, the
 * program says so and ends with status 2.
 */
#ifndef LK_TESTS_ORACLE_NAIVE_RUN_H
#define LK_TESTS_ORACLE_NAIVE_RUN_H

#include "sim/base/config.h"

#include <cjson/cJSON.h>

/* To be freed by cJSON_Delete. */
cJSON *run_json(const char *file);

/* Of a config.effective.json: a key's number (sizes are strings with a unit), a key's word. */
uint64_t run_setting(const cJSON *config, const char *key);
const char *run_word(const cJSON *config, const char *key);

/* That configuration once more; NULL with lines in `diag` where it is none. */
struct cfg *run_config(const cJSON *config, struct diag *diag);

#endif
