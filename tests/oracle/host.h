/*
 * One instruction on the CPU this runs on and on ours: the case that both get, and what each made of it.
 *
 * A case is code, an image of the registers, optionally an FXSAVE image of the x87, MMX and XMM registers,
 * and bytes to set in memory before. It runs as 16-, 32- or 64-bit code at CPL 3. What follows it ends it,
 * and so does what lies HOST_JUMP_BYTES behind that ("taken"). The same linear addresses mean the same memory
 * on both sides:
 *
 *     HOST_CODE   two pages of code, then nothing; around the case's own code all bytes are HOST_FILLER
 *     HOST_DATA   pages: writable, writable, read-only, writable, none, writable; nothing around them
 *     HOST_HIGH   the same pages once more, above 4 GiB, for 64-bit code
 *
 * A test is a generator of cases; host_main runs them on all our models and reports. tests/oracle/host_cpu.c
 * is the example to follow.
 */
#ifndef LK_TESTS_ORACLE_HOST_H
#define LK_TESTS_ORACLE_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu/decode.h"

#define HOST_DATA 0x20000000u /* so far from everything else that a 32-bit bit offset cannot reach it */
#define HOST_CODE 0x70010000u /* 64 KiB from here on are what 16-bit code sees as CS */
#define HOST_HIGH 0x6a8000000000u

enum {
    HOST_PAGE_BYTES = 0x1000,
    HOST_CODE_BYTES = 2 * HOST_PAGE_BYTES,
    HOST_DATA_PAGES = 6,
    HOST_DATA_BYTES = HOST_DATA_PAGES * HOST_PAGE_BYTES,
    HOST_READ_ONLY_PAGE = 2, /* of the data */
    HOST_ABSENT_PAGE = 4,
    HOST_MAX_LENGTH = 15,
    HOST_JUMP_BYTES = 8, /* how far a taken jump goes */
    HOST_FILLER = 0xf4,  /* HLT: #GP(0) wherever a jump goes astray */
    HOST_NO_VECTOR = -1,
    HOST_WINDOWS = 2,
    HOST_WINDOW_BYTES = 64,
    HOST_FX_BYTES = 512,
    HOST_FX_COMPARED = 416, /* what the manual defines of an FXSAVE image (SDM 1 table 10-2) */
    HOST_STATUS_FLAGS = 0x8D5,
    HOST_FLAGS = 0x244CD5, /* CF PF AF ZF SF DF OF NT AC ID: what software at CPL 3 can change */
};

/* Selectors, the same on both sides: Linux's flat ones, and those of an LDT. */
enum {
    HOST_CODE32 = 0x23,
    HOST_DATA32 = 0x2b,
    HOST_CODE64 = 0x33,
    HOST_CODE16 = 0x07,    /* base HOST_CODE, 64 KiB */
    HOST_DATA16 = 0x0f,    /* base HOST_DATA, 64 KiB, 16-bit */
    HOST_WINDOWED = 0x17,  /* base HOST_DATA + 0x100, limit 0x11ff, 32-bit */
    HOST_DOWNWARD = 0x1f,  /* expand-down, base HOST_DATA, valid from 0x1100 on, 32-bit */
    HOST_UNWRITABLE = 0x27 /* base HOST_DATA, read-only, 4 GiB */
};

/* An FXSAVE image, as FXSAVE64 writes it (SDM 1 table 10-2). */
union host_fx {
    _Alignas(64) uint8_t bytes[HOST_FX_BYTES];
    struct {
        uint16_t control, status;
        uint8_t tags, reserved; /* a bit a physical register: not empty */
        uint16_t opcode;
        uint64_t rip, data;
        uint32_t mxcsr, mxcsr_mask;
        struct host_fx_register {
            uint64_t mantissa;
            uint16_t sign_exponent, reserved[3];
        } st[8]; /* ST(0) first */
        uint64_t xmm[16][2];
    };
};

struct host_window {
    uint32_t at; /* offset in the data */
    uint8_t nr_bytes;
    uint8_t bytes[HOST_WINDOW_BYTES];
};

/* Start from host_case_init. */
struct host_case {
    unsigned form; /* the generator's number for what this is, for reports */
    enum dec_mode mode;
    bool is_legacy; /* ours runs it in 32-bit protected mode, not in IA-32e mode as the host does */
    uint8_t bytes[HOST_MAX_LENGTH];
    unsigned length;
    uint32_t code_offset;      /* where in HOST_CODE it lies; it must end there with 16 bytes to spare, or
                                    run into the page that is not there */
    uint64_t gpr[16], flags;   /* 32 bits and 8 registers count where the code is not 64-bit */
    uint16_t selector[6];      /* enum dec_seg; CS and, in 64-bit code, SS are the mode's */
    uint64_t fs_base, gs_base; /* 64-bit code */
    bool has_fx;               /* fx is loaded before and compared after */
    union host_fx fx;
    struct host_window window[HOST_WINDOWS]; /* set before; nr_bytes 0: none */
    uint64_t touched[2];                     /* linear: ours has accessed these bytes just before */
    unsigned slice_cycles;                   /* ours runs in slices this long; 0: at one go */

    uint64_t undefined_flags; /* not compared */
    uint32_t undefined_gpr;   /* not compared: a bit a register */
    bool is_undefined;        /* nothing is compared */
    bool is_memory_undefined;
    bool is_base_undefined; /* of FS and GS */
    /* If there is an exception: */
    bool is_fault_undefined;         /* nothing is compared */
    bool is_vector_open;             /* there must be one, but which is open */
    bool is_cr2_undefined;           /* the manual leaves open which operand faults first */
    bool is_fault_open;              /* flags are not compared */
    uint32_t gpr_open_in_fault;      /* nor these registers */
    uint32_t gpr_high_open_in_fault; /* nor bits 63-32 of these */
    bool is_memory_open_in_fault;    /* nor memory */
    /* A store that an x87 exception forbids: whether its address is looked at all the same. */
    bool is_store_open;
};

struct host_result {
    uint64_t gpr[16], flags, rip;
    uint16_t selector[6];
    uint64_t fs_base, gs_base;
    union host_fx fx;
    int vector; /* HOST_NO_VECTOR: no exception */
    uint32_t error_code;
    uint64_t cr2; /* of a page fault */
    bool is_taken;
    uint64_t nr_instructions;   /* that ours retired, less those around the case */
    uint64_t late_cycles;       /* that ours ran beyond the end of a slice, at most */
    bool is_lost;               /* ended in no way that a test should */
    bool is_unimplemented;      /* ours has no executor for it */
    uint32_t hidden_error_bits; /* of an error code, that ours does not have in the mode it ran in */
};

/* host_random.c: numbers that are the same for a seed whenever asked for, biased to where things go wrong. */
struct host_random {
    uint64_t state;
};
struct host_random host_random(uint64_t seed, uint64_t number);
uint64_t host_next(struct host_random *r);
uint32_t host_below(struct host_random *r, uint32_t n);
bool host_one_in(struct host_random *r, uint32_t n);
uint64_t host_value(struct host_random *r);       /* edges of all integer sizes */
uint32_t host_data_offset(struct host_random *r); /* in or just outside the data, around the ends of pages */
/* Registers, flags, an address of the code, windows around two offsets of the data; slices. */
void host_case_init(struct host_case *c, struct host_random *r, enum dec_mode mode,
                    const uint32_t offsets[2]);
/*
 * Adds an FXSAVE image: anything in the registers, all exceptions masked and none pending. Change it as you
 * like.
 */
void host_fx_init(struct host_case *c, struct host_random *r);
void host_put(struct host_case *c, uint64_t value, unsigned nr_bytes);

/* host_native.c. False: this system does not let us. */
bool native_init(void);
uint8_t *native_data(void); /* the data pages, those included that a case cannot reach or write */
void native_run(const struct host_case *c, struct host_result *result);

/* host_ours.c: one of our cores. The watched one has an observer, and must take the same time as without. */
enum ours_kind { OURS_FUNCTIONAL, OURS_INORDER, OURS_WATCHED, NR_OURS };
struct ours;
struct ours *ours_create(enum ours_kind kind);
void ours_destroy(struct ours *ours);
uint8_t *ours_data(struct ours *ours);
uint64_t ours_now(const struct ours *ours);
/* Whether our cores run code of this mode; those that do not are left out, and the report says so. */
bool ours_can_run(enum dec_mode mode);
void ours_run(struct ours *ours, const struct host_case *c, struct host_result *result);

/* host_run.c */
struct host_generator {
    const char *program;
    uint64_t default_cases;
    unsigned nr_forms;
    const char *(*form_name)(unsigned form);
    /* NULL, or: the instruction of a form, for --masks; why a form exists but is not run. */
    enum dec_op (*form_op)(unsigned form);
    const char *(*excluded)(unsigned form);
    /* Case `number` of a seed, the same whenever it is asked for; `data` is what the pages hold then. */
    void (*make)(struct host_case *c, uint64_t seed, uint64_t number, const uint8_t data[HOST_DATA_BYTES]);
    /*
     * Whether two images that differ, of a case, agree all the same (approximations, pointers). NULL: never.
     * What the manual does not define of an image is masked already (host_run.c).
     */
    bool (*fx_agrees)(const struct host_case *c, const union host_fx *theirs, const union host_fx *ours);
    /* Makes bytes of our memory equal where they may differ. NULL: nowhere. */
    void (*reconcile)(const struct host_case *c, const uint8_t *theirs, uint8_t *ours);
};
/*
 * --cases N, --seed S, --case K, --forms. The exit status: 1 if something differs, 77 if it cannot run here.
 */
int host_main(int argc, char **argv, const struct host_generator *generator);

#endif
