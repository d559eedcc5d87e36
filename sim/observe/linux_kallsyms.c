/* The kernel's table of its symbols (scripts/kallsyms.c of Linux), as VMCOREINFO says where it is. */
#include "sim/observe/linux_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_SYMBOLS = 1 << 22,
    MAX_NAME_BYTES = 1 << 26, /* of all names, packed */
    NR_TOKENS = 256,
    MAX_TOKEN_BYTES = 1 << 16,
    MAX_NAME_CHARS = 512,
    MAX_ALIASES = 64, /* names of one address */
};

/* Each name is a length and so many tokens, each of which stands for some characters. */
struct packed {
    uint32_t nr_symbols;
    uint32_t *offset; /* of each symbol, from `base` */
    uint64_t base;
    uint8_t *names;
    size_t nr_name_bytes;
    char *tokens; /* texts, each with a NUL; the last byte is one */
    uint16_t token_at[NR_TOKENS];
};

static void *read_all(struct linux_guest *guest, uint64_t from, size_t nr_bytes)
{
    void *bytes = malloc(nr_bytes);
    if (bytes && linear_read(&guest->kernel, from, bytes, nr_bytes))
        return bytes;
    free(bytes);
    return NULL;
}

static bool read_packed(struct linux_guest *guest, struct packed *packed)
{
    uint64_t names, number, tokens, index, offsets, base, nr_symbols, nr_token_bytes;
    if (!linux_info(guest, "SYMBOL(kallsyms_names)", &names) ||
        !linux_info(guest, "SYMBOL(kallsyms_num_syms)", &number) ||
        !linux_info(guest, "SYMBOL(kallsyms_token_table)", &tokens) ||
        !linux_info(guest, "SYMBOL(kallsyms_token_index)", &index) ||
        !linux_info(guest, "SYMBOL(kallsyms_offsets)", &offsets) ||
        !linux_info(guest, "SYMBOL(kallsyms_relative_base)", &base) ||
        !linux_read_number(guest, number, 4, &nr_symbols) || !linux_read_word(guest, base, &packed->base))
        return false;
    nr_token_bytes = index - tokens;
    packed->nr_name_bytes = tokens - names;
    if (nr_symbols == 0 || nr_symbols > MAX_SYMBOLS || tokens <= names || index <= tokens ||
        packed->nr_name_bytes > MAX_NAME_BYTES || nr_token_bytes > MAX_TOKEN_BYTES ||
        !linear_read(&guest->kernel, index, packed->token_at, sizeof packed->token_at))
        return false;
    packed->nr_symbols = (uint32_t)nr_symbols;
    packed->offset = read_all(guest, offsets, packed->nr_symbols * sizeof *packed->offset);
    packed->names = read_all(guest, names, packed->nr_name_bytes);
    packed->tokens = read_all(guest, tokens, nr_token_bytes);
    if (!packed->offset || !packed->names || !packed->tokens)
        return false;
    packed->tokens[nr_token_bytes - 1] = 0;
    for (unsigned i = 0; i < NR_TOKENS; i++)
        if (packed->token_at[i] >= nr_token_bytes)
            return false;
    return true;
}

/*
 * The name at *at, which goes on to the next one. The first character is the kind, as in System.map. False:
 * there is none.
 */
static bool unpack_name(const struct packed *packed, size_t *at, char name[MAX_NAME_CHARS])
{
    size_t length, nr_chars = 0;
    if (packed->nr_name_bytes - *at < 2)
        return false;
    length = packed->names[(*at)++];
    if (length & 0x80) /* a long one has its length in two bytes (from 6.1 on) */
        length = (length & 0x7f) | (size_t)packed->names[(*at)++] << 7;
    if (length > packed->nr_name_bytes - *at)
        return false;
    for (; length > 0; length--) {
        const char *token = packed->tokens + packed->token_at[packed->names[(*at)++]];
        for (; *token && nr_chars < MAX_NAME_CHARS - 1; token++)
            name[nr_chars++] = *token > ' ' && *token <= '~' && *token != ';' ? *token : '?';
    }
    name[nr_chars] = 0;
    return nr_chars >= 2;
}

/* With CONFIG_KALLSYMS_ABSOLUTE_PERCPU, which alone has negative offsets, those that are not are absolute. */
static uint64_t address_of(const struct packed *packed, uint32_t i, bool has_absolute)
{
    int32_t offset = (int32_t)packed->offset[i];
    if (!has_absolute)
        return packed->base + packed->offset[i];
    return offset >= 0 ? (uint64_t)offset : packed->base - 1 - (uint64_t)(int64_t)offset;
}

static bool add_all(const struct packed *packed, unsigned word_bytes, struct elf_symbols *symbols)
{
    uint64_t mask = word_bytes == 4 ? UINT32_MAX : UINT64_MAX;
    char name[MAX_NAME_CHARS];
    size_t at = 0;
    uint32_t nr_negative = 0;
    for (uint32_t i = 0; i < packed->nr_symbols; i++)
        nr_negative += packed->offset[i] >> 31;
    bool has_absolute = nr_negative > packed->nr_symbols / 2;
    for (uint32_t i = 0; i < packed->nr_symbols; i++) {
        if (!unpack_name(packed, &at, name))
            return false;
        uint64_t address = address_of(packed, i, has_absolute) & mask, bytes = 1;
        /* They are in the order of their addresses: a function ends where the next symbol begins. */
        for (uint32_t next = i + 1; next < packed->nr_symbols && next - i < MAX_ALIASES; next++) {
            uint64_t end = address_of(packed, next, has_absolute) & mask;
            if (end == address)
                continue;
            bytes = end > address ? end - address : 1;
            break;
        }
        bool is_function = strchr("tTwW", name[0]) != NULL;
        if (!elf_symbols_add(symbols, is_function ? ELF_SYMBOL_FUNCTION : ELF_SYMBOL_DATA, address, bytes,
                             name + 1, strlen(name + 1)))
            return false;
    }
    elf_symbols_settle(symbols);
    return true;
}

struct elf_symbols *linux_kallsyms(struct linux_guest *guest)
{
    struct packed packed = {.nr_symbols = 0};
    struct elf_symbols *symbols = NULL;
    if (read_packed(guest, &packed))
        symbols = elf_symbols_create();
    if (symbols && !add_all(&packed, guest->word_bytes, symbols)) {
        elf_symbols_free(symbols);
        symbols = NULL;
    }
    free(packed.offset);
    free(packed.names);
    free(packed.tokens);
    return symbols;
}
