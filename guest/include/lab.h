/*
 * Labs: experiments that check themselves, for `lookaside lab` and for anybody who boots with lab=NAME. A
 * lab is a function of the kernel (LAB below), a program of that name, or first the one and then the other;
 * they print with the functions here:
 *
 *   figure: WHAT = VALUE UNIT      something that was measured
 *   ok: CLAIM   FAILED: CLAIM      a claim, and whether it held
 *
 * Other lines say what is done. The console's text is the report; lookaside reads it too. A lab that only
 * works where cycles are counted asks lab_counts_cycles() and leaves out what it cannot know elsewhere.
 */
#pragma once

#include "compiler.h"
#include "types.h"

enum lab_status {
    LAB_PASSED,
    LAB_FAILED,
    LAB_SKIPPED, /* this machine lacks what the lab is about */
};

/* A line that says what is done. */
__printf(1, 2) void lab_say(const char *fmt, ...);
/* A claim that must hold; returns whether it does. */
__printf(2, 3) bool lab_check(bool holds, const char *fmt, ...);
__printf(1, 2) void lab_skip(const char *fmt, ...);
/* value / count with two digits behind the point; count 1: a whole number. */
void lab_figure(const char *what, u64 value, u32 count, const char *unit);
/* By the claims so far. A program's main returns it. */
enum lab_status lab_status(void);

/* Whether cycles mean something here: on lookaside, with a time-stamp counter. */
bool lab_counts_cycles(void);

/*
 * Counted by the processor. What it cannot count stays 0: cycles without a time-stamp counter, the others
 * without performance counters.
 */
struct lab_counts {
    u64 cycles, instructions;
    u64 walks; /* page walks for loads and stores */
    u64 l1d_misses, llc_misses;
};
bool lab_has_counters(void);

/*
 * A stretch of the lab: lookaside reports what its own statistics counted in it, under the name `what`
 * (which stays), and after the end `counts` holds what the processor counted. They may nest. The least that
 * one costs is that of an empty one.
 */
struct lab_region {
    u32 id;
    struct lab_counts counts;
};
void lab_region_begin(struct lab_region *region, const char *what);
void lab_region_end(struct lab_region *region);

/* ---- The kernel's side ---- */

struct lab {
    const char *name;
    void (*run)(void);
};
#define LAB(lab_name, function)                                                                              \
    static const struct lab lab_##function __used __attribute__((section("labs"))) = {lab_name, function}

/* A file of /proc as lines of the lab. */
struct seq_file;
void lab_show(void (*show)(struct seq_file *m));

/* The thread of the lab of that name; on a processor that has counters, starts them. */
int lab_thread(void *name);
/* Ends the run: a line that says how it went, then the machine's exit, or its power. */
__noreturn void lab_end(const char *name, int exit_code, long nr_leaked_pages,
                        unsigned long nr_leaked_objects);

/* Where the functions above put their text: the console, or a program's standard output. */
void lab_print(const char *text, size_t bytes);
