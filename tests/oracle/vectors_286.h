/*
 * Cases captured from a real 80286 in real mode: one instruction, the state before it and the state after the
 * HLT behind it.
 */
#ifndef LK_TESTS_ORACLE_VECTORS_286_H
#define LK_TESTS_ORACLE_VECTORS_286_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of the files' register bitmaps. */
enum vector_register {
    VECTOR_AX,
    VECTOR_BX,
    VECTOR_CX,
    VECTOR_DX,
    VECTOR_CS,
    VECTOR_SS,
    VECTOR_DS,
    VECTOR_ES,
    VECTOR_SP,
    VECTOR_BP,
    VECTOR_SI,
    VECTOR_DI,
    VECTOR_IP,
    VECTOR_FLAGS,
    NR_VECTOR_REGISTERS,
};

enum { MAX_VECTOR_BYTES = 4096, VECTOR_NO_EXCEPTION = -1, VECTOR_FLAGS_286 = 0x0fd5 };

struct vector_byte {
    uint32_t at;
    uint8_t value;
};

struct vector_state {
    uint16_t reg[NR_VECTOR_REGISTERS];
    unsigned nr_bytes; /* of memory: all that matter before, all that changed after */
    struct vector_byte byte[MAX_VECTOR_BYTES];
};

struct vector_case {
    uint32_t number;
    const uint8_t *bytes; /* prefixes, instruction, HLT */
    unsigned nr_bytes;
    struct vector_state before, after;
    int exception; /* or VECTOR_NO_EXCEPTION */
};

/* vectors_286_file.c. One file of cases, in memory. */
struct vector_file {
    uint8_t *data;
    size_t size_bytes, next;
};
bool vector_file_open(struct vector_file *file, const char *path);
/* False: no more, or the file is not what it should be (then next is short of size_bytes). */
bool vector_file_next(struct vector_file *file, struct vector_case *c);
void vector_file_close(struct vector_file *file);

/* vectors_286_core.c: a bare core with 16 MiB of RAM. */
struct vector_core;
struct vector_result {
    uint16_t reg[NR_VECTOR_REGISTERS];
    bool is_halted, is_shut_down;
    int exception; /* the first one, or VECTOR_NO_EXCEPTION */
};
struct vector_core *vector_core_create(bool is_timed);
void vector_core_destroy(struct vector_core *core);
void vector_core_run(struct vector_core *core, const struct vector_case *c, struct vector_result *result);
uint8_t vector_core_byte(const struct vector_core *core, uint32_t at);
/* Zeroes what the case may have touched. */
void vector_core_clean(struct vector_core *core, const struct vector_case *c);
/* Whether all memory is zero; if not, it is made so and *at is where it was not. */
bool vector_core_is_clean(struct vector_core *core, uint32_t *at);

#endif
