/*
 * Two machines, instruction by instruction: lookaside in this process, QEMU behind its gdb stub. Both have
 * the same RAM image to begin with; QEMU's RAM is a file that is mapped here, so that memory is compared at
 * full speed.
 */
#ifndef LK_TESTS_LOCKSTEP_H
#define LK_TESTS_LOCKSTEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum state_field {
#define FIELD(name, bytes, kind) FIELD_##name,
#include "fields.def"
#undef FIELD
    NR_FIELDS
};

struct state {
    uint64_t v[NR_FIELDS];
};

/* ---- ours.c ---- */

enum ours_stop { OURS_STEPPED, OURS_HALTED, OURS_SHUTDOWN, OURS_ENDED };

struct ours;
struct ours *ours_create(const char *image, const char *arguments, const char *const *settings,
                         size_t nr_settings);
void ours_destroy(struct ours *ours);
enum ours_stop ours_step(struct ours *ours);
void ours_state(const struct ours *ours, struct state *state);
/* The general registers, and the flags of the mask, become those of `state`. */
void ours_take(struct ours *ours, const struct state *state, uint64_t flags_mask);
/* How the firmware left the control registers of x87 and SSE. */
void ours_take_units(struct ours *ours, const struct state *state);
void ours_interrupt(struct ours *ours, unsigned vector);
/* The bytes at CS:EIP; returns how many could be read. bits: 16, 32 or 64. */
size_t ours_code(const struct ours *ours, uint8_t bytes[15], unsigned *bits);
bool ours_peek(const struct ours *ours, uint64_t linear, void *into, size_t size_bytes);
/* Where the handler of a vector begins; UINT64_MAX when there is none. */
uint64_t ours_handler(const struct ours *ours, unsigned vector);
/* Where in RAM the type of a selector's descriptor lies, with its accessed bit; UINT64_MAX: nowhere. */
uint64_t ours_descriptor_type(const struct ours *ours, unsigned selector);
uint8_t *ours_ram(const struct ours *ours, uint64_t *size_bytes);
uint64_t ours_linear_rip(const struct ours *ours);

/* ---- qemu.c ---- */

struct qemu;
/* Stops before the first instruction of the loaded image, which lies at `entry`. NULL: said on stderr. */
struct qemu *qemu_create(const char *program, const char *cpu, const char *image, const char *arguments,
                         const char *folder, uint64_t ram_bytes, uint64_t entry);
void qemu_destroy(struct qemu *qemu);
/* False: QEMU has ended, or does not answer (it halted). */
bool qemu_step(struct qemu *qemu, bool with_interrupts) __attribute__((warn_unused_result));
bool qemu_run_to(struct qemu *qemu, const uint64_t *places, unsigned nr_places)
    __attribute__((warn_unused_result));
bool qemu_state(struct qemu *qemu, struct state *state) __attribute__((warn_unused_result));
/* Sets one register by its number in fields.def. */
bool qemu_set(struct qemu *qemu, enum state_field field, uint64_t value) __attribute__((warn_unused_result));
uint8_t *qemu_ram(const struct qemu *qemu);

#endif
