/*
 * The configuration of a machine: one uint64_t field a key, from the rows of config_params.def; where each
 * value came from; and the ways in: defaults, files (JSON with comments, trailing commas and `include`), and
 * `-s path=value`.
 */
#ifndef LK_SIM_BASE_CONFIG_H
#define LK_SIM_BASE_CONFIG_H

#include "sim/base/diag.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum cfg_cpu_model { CFG_CPU_FUNCTIONAL, CFG_CPU_INORDER };
enum cfg_predictor {
    CFG_PREDICTOR_GSHARE,
    CFG_PREDICTOR_BIMODAL,
    CFG_PREDICTOR_TAKEN,
    CFG_PREDICTOR_NOT_TAKEN,
    CFG_PREDICTOR_TAGE
};
enum cfg_isa {
    CFG_ISA_I486,
    CFG_ISA_P5,
    CFG_ISA_P6,
    CFG_ISA_P4,
    CFG_ISA_X86_64,
    CFG_ISA_X86_64_V2,
    CFG_ISA_MAX
};
enum cfg_replacement { CFG_REPLACE_LRU, CFG_REPLACE_PLRU };
enum cfg_tlb_pages { CFG_TLB_SPLIT, CFG_TLB_SHARED };
enum cfg_inclusion { CFG_NON_INCLUSIVE, CFG_INCLUSIVE, CFG_EXCLUSIVE };
enum cfg_walk_through { CFG_WALK_L1D, CFG_WALK_L2 };
enum cfg_dram_preset { CFG_DRAM_FIXED, CFG_DRAM_DDR2_800, CFG_DRAM_DDR3_1600, CFG_DRAM_DDR4_2400 };
enum cfg_dram_policy { CFG_DRAM_OPEN, CFG_DRAM_CLOSED };

/*
 * Values of PARAM_TIME: clocks of the part they belong to, or picoseconds with this bit, or as the preset has
 * it.
 */
#define CFG_TIME_IS_PS (UINT64_C(1) << 63)
#define CFG_TIME_PRESET UINT64_MAX

struct config {
#define PARAM_SIZE(path, field, value, min, max, sentence) uint64_t field;
#define PARAM_COUNT(path, field, value, min, max, unit, sentence) uint64_t field;
#define PARAM_HZ(path, field, value, min, max, sentence) uint64_t field;
#define PARAM_BOOL(path, field, value, sentence) uint64_t field;
#define PARAM_ENUM(path, field, value, names, sentence) uint64_t field;
#define PARAM_TIME(path, field, sentence) uint64_t field;
#include "sim/base/config_params.def"
#undef PARAM_SIZE
#undef PARAM_COUNT
#undef PARAM_HZ
#undef PARAM_BOOL
#undef PARAM_ENUM
#undef PARAM_TIME
};

/* A configuration in the making: the values so far and, for each, where it came from. */
struct cfg;

/* All defaults. NULL when memory is short. */
struct cfg *cfg_create(void);
void cfg_destroy(struct cfg *cfg);

/*
 * Reads a file (and what it includes, relative to itself, first). Adds a line `file:line:col: key: ...` for
 * each mistake.
 */
bool cfg_load_file(struct cfg *cfg, const char *file, struct diag *diag);

/* One `path=value` of the command line. */
bool cfg_set(struct cfg *cfg, const char *assignment, struct diag *diag);

/*
 * Checks what holds between keys (geometries, powers of two); to be called once, after the last load or set.
 */
bool cfg_check(const struct cfg *cfg, struct diag *diag);

const struct config *cfg_values(const struct cfg *cfg);

/* Names a configuration in files that were made with it: FNV-1a over the effective values. */
uint64_t cfg_digest(const struct config *config);

/*
 * The effective configuration as JSON that can be read back in, each key with a comment: unit, meaning, where
 * from.
 */
void cfg_show(const struct cfg *cfg, FILE *to);
/* The same as strict JSON: key -> {"value": ..., "from": ...}. */
void cfg_show_json(const struct cfg *cfg, FILE *to);
/* That into a file, as each run writes it: config.effective.json. */
bool cfg_write_effective(const struct cfg *cfg, const char *file, struct diag *diag);
/* A JSON Schema (draft 2020-12) of the file format. */
void cfg_schema(FILE *to);

/*
 * All values with their keys, for checkpoints (sim/base/snap.h). Reading, what is not as it is already comes
 * from the checkpoint.
 */
struct snap;
void cfg_snap(struct cfg *cfg, struct snap *snap);

/*
 * Whether a machine of this configuration can go on with the state of one that had `before`. Adds a line that
 * begins with `what` for each key that forbids it.
 */
bool cfg_continues(const struct cfg *cfg, const struct config *before, const char *what, struct diag *diag);

#endif
