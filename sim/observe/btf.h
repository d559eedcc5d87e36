/*
 * The BPF type format (Documentation/bpf/btf.rst of Linux): a kernel that was built with it carries the
 * layout of its own structures, which is all that is asked here. The bytes are a stranger's: whatever they
 * say ends with an answer or with none.
 */
#ifndef LK_SIM_OBSERVE_BTF_H
#define LK_SIM_OBSERVE_BTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf;

/*
 * Takes `bytes`, which malloc has made, as its own, also when it returns NULL: that is no BTF, or memory is
 * short. pointer_bytes: 4 or 8, which BTF does not say.
 */
struct btf *btf_create(uint8_t *bytes, size_t nr_bytes, unsigned pointer_bytes);
void btf_destroy(struct btf *btf);

struct btf_member {
    uint32_t offset_bytes;
    uint32_t size_bytes;
    uint32_t nr_elements; /* of an array; else 1 */
};

/*
 * Member `path` of structure `name`: "pid", or "f_path.dentry" for one of a structure in it; what lies in
 * structures and unions without a name is found as in C. False: there is none, or it is a bit field that
 * begins within a byte.
 */
bool btf_member(const struct btf *btf, const char *name, const char *path, struct btf_member *member);

/* In bytes; 0 when there is no such structure. */
uint32_t btf_struct_bytes(const struct btf *btf, const char *name);

/* The value of an enumerator, whatever its enumeration. */
bool btf_enumerator(const struct btf *btf, const char *name, int64_t *value);

#endif
