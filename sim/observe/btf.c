#include "sim/observe/btf.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAGIC = 0xeb9f,
    HEADER_BYTES = 24,
    TYPE_BYTES = 12,
    MEMBER_BYTES = 12,
    ENUMERATOR_BYTES = 8,
    MAX_STEPS = 32,      /* through typedefs and the like; more lead in a circle */
    MAX_LOOKS = 1 << 16, /* at members, for one question */
    MAX_NESTED = 16,     /* structures without a name within each other */
    MAX_TYPES = 1 << 22,
};

enum kind {
    KIND_INT = 1,
    KIND_PTR,
    KIND_ARRAY,
    KIND_STRUCT,
    KIND_UNION,
    KIND_ENUM,
    KIND_FWD,
    KIND_TYPEDEF,
    KIND_VOLATILE,
    KIND_CONST,
    KIND_RESTRICT,
    KIND_FUNC,
    KIND_FUNC_PROTO,
    KIND_VAR,
    KIND_DATASEC,
    KIND_FLOAT,
    KIND_DECL_TAG,
    KIND_TYPE_TAG,
    KIND_ENUM64,
};

struct btf {
    uint8_t *bytes;
    const uint8_t *types;
    const char *strings; /* the last of them ends in a NUL */
    uint32_t nr_string_bytes;
    uint32_t *offset; /* of type i in `types`; of type 0, which is void, there is none */
    uint32_t nr_types;
    unsigned pointer_bytes;
};

static uint32_t word(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

struct type {
    enum kind kind;
    bool has_kind_flag;
    uint32_t name, nr_parts, size_or_type;
    const uint8_t *more; /* what follows it */
};

static struct type type_at(const uint8_t *at)
{
    uint32_t info = word(at + 4);
    return (struct type){.kind = (enum kind)(info >> 24 & 0x1f),
                         .has_kind_flag = info >> 31,
                         .name = word(at),
                         .nr_parts = info & 0xffff,
                         .size_or_type = word(at + 8),
                         .more = at + TYPE_BYTES};
}

/* Of what follows a type. False: a kind that is not known, behind which nothing can be found. */
static bool more_bytes(const struct type *type, uint32_t *bytes)
{
    switch (type->kind) {
    case KIND_PTR:
    case KIND_FWD:
    case KIND_TYPEDEF:
    case KIND_VOLATILE:
    case KIND_CONST:
    case KIND_RESTRICT:
    case KIND_FUNC:
    case KIND_FLOAT:
    case KIND_TYPE_TAG:
        *bytes = 0;
        return true;
    case KIND_INT:
    case KIND_VAR:
    case KIND_DECL_TAG:
        *bytes = 4;
        return true;
    case KIND_ARRAY:
        *bytes = 12;
        return true;
    case KIND_ENUM:
    case KIND_FUNC_PROTO:
        *bytes = type->nr_parts * 8;
        return true;
    case KIND_STRUCT:
    case KIND_UNION:
    case KIND_DATASEC:
    case KIND_ENUM64:
        *bytes = type->nr_parts * 12;
        return true;
    }
    return false;
}

/* Finds where each type begins. */
static bool index_types(struct btf *btf, uint32_t nr_bytes)
{
    uint32_t room = 1024, more;
    btf->offset = malloc(room * sizeof *btf->offset);
    btf->nr_types = 1;
    for (uint32_t at = 0; btf->offset && at < nr_bytes;) {
        if (nr_bytes - at < TYPE_BYTES || btf->nr_types == MAX_TYPES)
            return false;
        struct type type = type_at(btf->types + at);
        if (!more_bytes(&type, &more) || more > nr_bytes - at - TYPE_BYTES)
            return false;
        if (btf->nr_types == room) {
            uint32_t *offset = realloc(btf->offset, 2 * (size_t)room * sizeof *offset);
            if (!offset)
                return false;
            btf->offset = offset;
            room *= 2;
        }
        btf->offset[btf->nr_types++] = at;
        at += TYPE_BYTES + more;
    }
    return btf->offset != NULL;
}

struct btf *btf_create(uint8_t *bytes, size_t nr_bytes, unsigned pointer_bytes)
{
    struct btf *btf = calloc(1, sizeof *btf);
    if (btf)
        *btf = (struct btf){.bytes = bytes, .pointer_bytes = pointer_bytes};
    if (!btf || nr_bytes < HEADER_BYTES || nr_bytes > UINT32_MAX || (word(bytes) & 0xffff) != MAGIC)
        goto bad;
    uint64_t header = word(bytes + 4), type_at = header + word(bytes + 8), type_bytes = word(bytes + 12),
             string_at = header + word(bytes + 16), string_bytes = word(bytes + 20);
    if (type_at + type_bytes > nr_bytes || string_at + string_bytes > nr_bytes || string_bytes == 0 ||
        bytes[string_at + string_bytes - 1] != 0)
        goto bad;
    btf->types = bytes + type_at;
    btf->strings = (const char *)bytes + string_at;
    btf->nr_string_bytes = (uint32_t)string_bytes;
    if (index_types(btf, (uint32_t)type_bytes))
        return btf;
bad:
    if (!btf)
        free(bytes);
    btf_destroy(btf);
    return NULL;
}

void btf_destroy(struct btf *btf)
{
    if (!btf)
        return;
    free(btf->bytes);
    free(btf->offset);
    free(btf);
}

static const char *name_at(const struct btf *btf, uint32_t offset)
{
    return offset < btf->nr_string_bytes ? btf->strings + offset : "";
}

/* False for void, and for what is no type. */
static bool get_type(const struct btf *btf, uint32_t id, struct type *type)
{
    if (id == 0 || id >= btf->nr_types)
        return false;
    *type = type_at(btf->types + btf->offset[id]);
    return true;
}

/* The type behind typedefs and qualifiers. */
static bool get_plain_type(const struct btf *btf, uint32_t id, struct type *type)
{
    for (unsigned i = 0; i < MAX_STEPS && get_type(btf, id, type); i++) {
        switch (type->kind) {
        case KIND_TYPEDEF:
        case KIND_VOLATILE:
        case KIND_CONST:
        case KIND_RESTRICT:
        case KIND_TYPE_TAG:
            id = type->size_or_type;
            break;
        default:
            return true;
        }
    }
    return false;
}

/* Size and number of elements of a type; 0 bytes: none. Those of an array of arrays are of the outer one. */
static void measure(const struct btf *btf, uint32_t id, struct btf_member *member)
{
    uint64_t bytes = 1;
    struct type type;
    member->nr_elements = 1;
    member->size_bytes = 0;
    for (unsigned i = 0; i < MAX_STEPS; i++) {
        if (!get_plain_type(btf, id, &type))
            return;
        if (type.kind != KIND_ARRAY)
            break;
        uint32_t nr_elements = word(type.more + 8);
        if (i == 0)
            member->nr_elements = nr_elements;
        bytes *= nr_elements;
        id = word(type.more);
        if (bytes > UINT32_MAX)
            return;
    }
    switch (type.kind) {
    case KIND_PTR:
        bytes *= btf->pointer_bytes;
        break;
    case KIND_INT:
    case KIND_STRUCT:
    case KIND_UNION:
    case KIND_ENUM:
    case KIND_FLOAT:
    case KIND_ENUM64:
        bytes *= type.size_or_type;
        break;
    default:
        return;
    }
    if (bytes <= UINT32_MAX)
        member->size_bytes = (uint32_t)bytes;
}

static bool is_compound(const struct type *type)
{
    return type->kind == KIND_STRUCT || type->kind == KIND_UNION;
}

/* A member that is looked for, by a name that need not end in a NUL. */
struct search {
    const struct btf *btf;
    const char *name;
    size_t name_chars;
    unsigned nr_looks;
    uint32_t bit, type; /* found: where, and of which type */
};

static bool find_member(struct search *search, const struct type *in, uint32_t bit, unsigned depth)
{
    const struct btf *btf = search->btf;
    for (uint32_t i = 0; i < in->nr_parts && search->nr_looks++ < MAX_LOOKS; i++) {
        const uint8_t *member = in->more + (size_t)i * MEMBER_BYTES;
        const char *name = name_at(btf, word(member));
        /* With the flag the upper byte says how many bits a bit field has. */
        uint32_t at = bit + (word(member + 8) & (in->has_kind_flag ? 0xffffff : UINT32_MAX));
        struct type type;
        if (*name == 0 && depth < MAX_NESTED && get_plain_type(btf, word(member + 4), &type) &&
            is_compound(&type) && find_member(search, &type, at, depth + 1))
            return true;
        if (strncmp(name, search->name, search->name_chars) == 0 && name[search->name_chars] == 0) {
            search->bit = at;
            search->type = word(member + 4);
            return true;
        }
    }
    return false;
}

static bool find_struct(const struct btf *btf, const char *name, struct type *type)
{
    for (uint32_t id = 1; id < btf->nr_types; id++)
        if (get_type(btf, id, type) && is_compound(type) && strcmp(name_at(btf, type->name), name) == 0)
            return true;
    return false;
}

bool btf_member(const struct btf *btf, const char *name, const char *path, struct btf_member *member)
{
    struct type type;
    struct search search = {.btf = btf};
    uint32_t bit = 0;
    if (!find_struct(btf, name, &type))
        return false;
    for (const char *part = path;; part += search.name_chars + 1) {
        search.name = part;
        search.name_chars = strcspn(part, ".");
        if (search.name_chars == 0 || !is_compound(&type) || !find_member(&search, &type, bit, 0))
            return false;
        bit = search.bit;
        if (!part[search.name_chars])
            break;
        if (!get_plain_type(btf, search.type, &type))
            return false;
    }
    member->offset_bytes = bit / 8;
    measure(btf, search.type, member);
    return bit % 8 == 0;
}

uint32_t btf_struct_bytes(const struct btf *btf, const char *name)
{
    struct type type;
    return find_struct(btf, name, &type) ? type.size_or_type : 0;
}

bool btf_enumerator(const struct btf *btf, const char *name, int64_t *value)
{
    struct type type;
    for (uint32_t id = 1; id < btf->nr_types; id++) {
        if (!get_type(btf, id, &type) || (type.kind != KIND_ENUM && type.kind != KIND_ENUM64))
            continue;
        bool is_wide = type.kind == KIND_ENUM64;
        for (uint32_t i = 0; i < type.nr_parts; i++) {
            const uint8_t *part = type.more + (size_t)i * (is_wide ? MEMBER_BYTES : ENUMERATOR_BYTES);
            if (strcmp(name_at(btf, word(part)), name) != 0)
                continue;
            uint32_t low = word(part + 4);
            *value = is_wide              ? (int64_t)((uint64_t)word(part + 8) << 32 | low)
                     : type.has_kind_flag ? (int64_t)(int32_t)low
                                          : (int64_t)low;
            return true;
        }
    }
    return false;
}
