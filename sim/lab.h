/*
 * Labs: experiments on a configured machine. A lab is a row of lab_rows.c. Most are a guest that checks
 * itself (guest/include/lab.h), run on one machine or on several that are compared; lab_guest.c runs it,
 * lab_report.c says what came out. A lab may have a program of its own instead, which prints its report to
 * stdout and may write files into the output folder, which it makes when it has something to write.
 */
#ifndef LK_SIM_LAB_H
#define LK_SIM_LAB_H

#include "sim/base/config.h"
#include "sim/base/diag.h"
#include "sim/lab_timeline.h"
#include "sim/machine.h"

struct lab_run {
    const struct config *config; /* checked */
    const char *title;           /* of the configuration, for headings: letters, digits and ._- only */
    const char *output;          /* a folder; may not be there */
    bool wants_json;             /* the report as JSON */
};

enum { LAB_MAX_MACHINES = 4, LAB_MAX_SETTINGS = 8, LAB_MAX_REGIONS = 64, LAB_MAX_STEPS = 64 };

struct lab_result;
struct lab_row {
    const char *name;
    const char *fact;     /* which sentence of the guest's list of facts it shows; "-": none */
    const char *sentence; /* the fact */
    /* How the line begins that says most, a figure or a claim; NULL: the first figure, or else claim. */
    const char *key;
    /*
     * The machines, by what their configuration gets on top of the user's; they end where a name is
     * missing.
     */
    struct {
        const char *name; /* NULL in the first: there is one, as it is configured */
        const char *settings[LAB_MAX_SETTINGS];
    } machines[LAB_MAX_MACHINES];
    const char *options; /* of the guest's command line, besides lab=NAME; may be NULL */
    bool has_disk;       /* the machine has one disk, that of lab_disk.h */
    bool has_root;     /* the disk is a snapshot of the guest's root file system; skipped if there is none */
    bool panics;       /* the guest's end is a panic, and `check` says whether it was the right one */
    bool shows_steps;  /* the report has a time line of the boot */
    bool has_timeline; /* memory management's time line is kept, and drawn when the lab is run by itself */
    /* What can be told from outside only, when all machines have run; may be NULL. */
    void (*check)(struct lab_result *result);
    /* A lab that is no guest which checks itself. False with lines in `diag`. */
    bool (*run)(const struct lab_run *run, struct diag *diag);
};
extern const struct lab_row lab_rows[];
extern const unsigned nr_lab_rows;

/* What the statistics counted in a stretch of the guest. */
enum lab_counter {
#define LAB_COUNTER(id, json, heading, statistic) id,
#include "sim/lab_counters.def"
#undef LAB_COUNTER
    NR_LAB_COUNTERS
};
struct lab_region {
    char *name;
    uint64_t counts[NR_LAB_COUNTERS];
};

/* A step of the guest's boot, which begins with a mark. */
struct lab_step {
    char *name;
    uint64_t cycle, instructions; /* since reset, when it began */
};

enum lab_line_kind { LAB_LINE_SAID, LAB_LINE_FIGURE, LAB_LINE_HOLDS, LAB_LINE_FAILED, LAB_LINE_SKIPPED };
struct lab_line {
    enum lab_line_kind kind;
    char *text; /* without its tag */
};
struct lab_lines {
    struct lab_line *line;
    size_t nr;
};

/* What caches and memory had different: the numbers, and the function that lookaside names. */
struct lab_stale {
    struct cache_stale stale;
    char *function; /* NULL: not known */
    char *sentence;
};

enum lab_verdict { LAB_PASSED, LAB_FAILED, LAB_SKIPPED };

/* A guest that has run on a machine. */
struct lab_outcome {
    const char *machine;
    struct lab_lines lines; /* of its console, in order */
    struct lab_region regions[LAB_MAX_REGIONS];
    unsigned nr_regions;
    struct lab_step steps[LAB_MAX_STEPS];
    unsigned nr_steps;
    struct lab_timeline timeline; /* with has_timeline */
    struct lab_stale stale[CACHE_STALE_KEPT];
    unsigned nr_stale;
    uint32_t *disk; /* with has_disk: its words when the guest had ended */
    uint64_t cycles;
    enum lab_verdict verdict;
};

struct lab_result {
    const struct lab_row *row;
    const char *kernel; /* which of the bundled guest's kernels: i386, i386-pae */
    struct lab_outcome outcomes[LAB_MAX_MACHINES];
    unsigned nr_outcomes;
    struct lab_lines claims; /* of `check` */
};

/* Runs the guest of `row` on this machine; the outcome goes to `result`. False with lines in `diag`. */
bool lab_run_guest(struct lab_result *result, const struct config *config, const char *machine,
                   struct diag *diag);
void lab_result_fini(struct lab_result *result);

/* For `check`: a claim, and what the first region of that name counted (0 when there is none). */
void lab_claim(struct lab_result *result, bool holds, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
uint64_t lab_count(const struct lab_outcome *outcome, const char *region, enum lab_counter counter);

enum lab_verdict lab_verdict(const struct lab_result *result);
const char *lab_verdict_name(enum lab_verdict verdict);
/* What it came to in few words, such as "a page moved = 9793.32 cycles"; "": nothing came out. */
const char *lab_key_figure(const struct lab_result *result);
/* How many claims there are, and how many of them hold. */
unsigned lab_nr_claims(const struct lab_result *result, unsigned *nr_hold);
void lab_put_text(const struct lab_result *result, FILE *to);
void lab_put_json(const struct lab_result *result, FILE *to);
/* Claims that did not hold, a line each. */
void lab_put_failed(const struct lab_result *result, FILE *to);

/* The latency lab's own program. */
bool lab_latency(const struct lab_run *run, struct diag *diag);
/* Makes the output folder if it is not there, and says if nothing can be written into it. */
bool lab_make_output(const struct lab_run *run, struct diag *diag);

#endif
