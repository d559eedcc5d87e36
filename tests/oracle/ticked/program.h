/* Random programs for the ticked model: page tables, descriptors, handlers, and code that ends in HLT. */
#ifndef LK_TESTS_TICKED_PROGRAM_H
#define LK_TESTS_TICKED_PROGRAM_H

#define CORE_RAM_BYTES (512 << 10)
#include "tests/unit/core_fixture.h"

struct dice {
    uint64_t state;
};
uint64_t dice_next(struct dice *dice);
/* 0 .. limit - 1 */
unsigned dice_below(struct dice *dice, unsigned limit);
bool dice_one_in(struct dice *dice, unsigned nr);

enum { MAX_SETTINGS = 160, SETTING_BYTES = 64 };
/* Lines of a command line, the last one NULL. */
struct settings {
    char text[MAX_SETTINGS][SETTING_BYTES];
    const char *line[MAX_SETTINGS + 1];
    unsigned nr;
};
void settings_choose(struct dice *dice, struct settings *settings);

/* Puts a program into the core's RAM, and says how it starts. */
void program_put(struct dice *dice, struct core *core, struct cpu_state *state);

#endif
