/* Branch prediction of the ticked model, as docs/timing.md has it. All branches pass in program order. */
#ifndef LK_TESTS_TICKED_PREDICTOR_H
#define LK_TESTS_TICKED_PREDICTOR_H

#include "sim/base/config.h"
#include "tests/oracle/ticked/insn.h"

struct guesser;
struct guesser *guesser_create(const struct config *config);
void guesser_destroy(struct guesser *guesser);

enum guess {
    GUESS_RIGHT,
    GUESS_LATE,  /* taken, as it was predicted; where to is known when it is decoded */
    GUESS_WRONG, /* known when the branch is done */
};

/* A branch at `from` with `length` bytes that went to `to`, which means something only if it was taken. */
enum guess guesser_pass(struct guesser *guesser, enum branch branch, uint64_t from, uint64_t behind,
                        bool is_taken, uint64_t to);

#endif
