/*
 * One instruction on the real CPU and on ours: the case both get, and what each made of it. The data pages
 * lie at HOST_DATA in both address spaces, with nothing mapped on either side of them.
 */
#ifndef LK_TESTS_ORACLE_HOST_CPU_H
#define LK_TESTS_ORACLE_HOST_CPU_H

#include <stdbool.h>
#include <stdint.h>

enum {
    HOST_DATA = 0x20000000, /* so far from everything else that a bit offset cannot reach it */
    HOST_DATA_BYTES = 0x2000,
    HOST_MAX_LENGTH = 15,
    HOST_JUMP_BYTES = 8, /* how far a taken jump goes */
    HOST_NO_VECTOR = -1,
    HOST_WINDOW_BYTES = 64,
    HOST_FLAGS = 0xCD5, /* CF PF AF ZF SF DF OF */
};

enum host_encoding {
    HOST_RM,
    HOST_REG,
    HOST_MEM,
    HOST_PLAIN,
    HOST_PLUS,
    HOST_MOFFS,
    HOST_STRING,
    HOST_JUMP,
    HOST_XLAT,
};
enum host_size { HOST_SIZE_B, HOST_SIZE_V, HOST_SIZE_D, HOST_SIZE_W };
enum host_immediate { HOST_NO, HOST_IB, HOST_IZ };
enum host_undefined {
    HOST_UNDEFINED_NONE,
    HOST_UNDEFINED_LOGIC,
    HOST_UNDEFINED_SHIFT,
    HOST_UNDEFINED_SAR,
    HOST_UNDEFINED_ROTATE,
    HOST_UNDEFINED_SHIFT_DOUBLE,
    HOST_UNDEFINED_BIT,
    HOST_UNDEFINED_SCAN,
    HOST_UNDEFINED_MULTIPLY,
    HOST_UNDEFINED_DIVIDE,
    HOST_UNDEFINED_COMPARE_STRING,
};

struct host_form {
    const char *name;
    uint8_t map, opcode, encoding, digit, size, immediate, undefined;
};

enum { HOST_DIGIT_ANY = 8 };

struct host_case {
    const struct host_form *form;
    uint8_t bytes[HOST_MAX_LENGTH]; /* as 32-bit code */
    unsigned length;
    unsigned size_bytes; /* of the operation */
    uint32_t gpr[8], flags;
    uint32_t code_offset; /* where in two pages of code it lies, for ours */
    uint32_t touched[2];  /* where ours has accessed the data just before */
    uint32_t window_at;   /* linear; these bytes of the data are set before */
    uint8_t window[HOST_WINDOW_BYTES];
    uint32_t undefined_flags;
    unsigned slice_cycles; /* ours runs in slices this long; 0: at one go */
    bool is_undefined;     /* the manual leaves more than flags open: not compared */
};

struct host_result {
    uint32_t gpr[8], flags;
    int vector;               /* HOST_NO_VECTOR: no exception */
    uint32_t error_code, cr2; /* of a page fault */
    bool is_taken;
    uint64_t nr_instructions; /* that ours retired, those around the case included */
    uint64_t late_cycles;     /* that ours ran beyond the end of a slice, at most */
    bool is_lost;             /* ended in no way that a test should */
};

/* host_cases.c: the forms, and case number `number` of a seed: the same whenever it is asked for. */
extern const struct host_form host_forms[];
extern const unsigned host_nr_forms;
void host_make_case(struct host_case *c, uint64_t seed, uint64_t number, const uint8_t data[HOST_DATA_BYTES]);

/* host_native.c. False: this system does not let us. */
bool native_init(void);
uint8_t *native_data(void);
void native_run(const struct host_case *c, struct host_result *result);

/* host_ours.c: one of our cores. The watched one has an observer, and must take the same time as without. */
enum ours_kind { OURS_FUNCTIONAL, OURS_INORDER, OURS_WATCHED, NR_OURS };
struct ours;
struct ours *ours_create(enum ours_kind kind);
void ours_destroy(struct ours *ours);
uint8_t *ours_data(struct ours *ours);
uint64_t ours_now(const struct ours *ours);
void ours_run(struct ours *ours, const struct host_case *c, struct host_result *result);

#endif
