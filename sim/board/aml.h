/*
 * Writes ACPI machine language (ACPI 6.4, chapter 20) into a buffer: what a DSDT of ours needs of it. A block
 * is begun, filled and ended; its length is put in when it ends, always in two bytes.
 */
#ifndef LK_SIM_BOARD_AML_H
#define LK_SIM_BOARD_AML_H

#include <stddef.h>
#include <stdint.h>

struct aml {
    uint8_t *bytes; /* the caller's */
    size_t nr_bytes, capacity;
};

/* Where a block's length belongs. */
struct aml_block {
    size_t length_at;
};

void aml_byte(struct aml *aml, uint8_t byte);
void aml_bytes(struct aml *aml, const void *bytes, size_t nr_bytes);
void aml_integer(struct aml *aml, uint64_t value);
/* A name of up to four characters, filled up with '_'. A path may follow: \ and ^ are passed as bytes. */
void aml_name_segment(struct aml *aml, const char *name);

struct aml_block aml_begin_scope(struct aml *aml, const char *root_name);
struct aml_block aml_begin_device(struct aml *aml, const char *name);
struct aml_block aml_begin_method(struct aml *aml, const char *name, unsigned nr_arguments);
struct aml_block aml_begin_if(struct aml *aml);
struct aml_block aml_begin_package(struct aml *aml, uint8_t nr_elements);
void aml_end(struct aml *aml, struct aml_block block);

/* Name(name, ...): what it names follows. */
void aml_name(struct aml *aml, const char *name);
/* A compressed EISA identifier such as "PNP0A03" (ACPI 6.4, 19.3.4). */
void aml_eisa_id(struct aml *aml, const char *id);
/* Buffer(){...} of so many bytes, at most 4000. */
void aml_buffer(struct aml *aml, const uint8_t *bytes, size_t nr_bytes);

enum { AML_RETURN = 0xa4, AML_STORE = 0x70, AML_ARGUMENT_0 = 0x68 };

#endif
