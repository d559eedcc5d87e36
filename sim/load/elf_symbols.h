/* The names in an ELF file, a System.map or a kernel's own table, for people who are told an address. */
#ifndef LK_SIM_LOAD_ELF_SYMBOLS_H
#define LK_SIM_LOAD_ELF_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_symbols;

/*
 * From an ELF file's symbol table, or from a text as nm makes it and kernels come with (a line is "c1000000 T
 * startup_32": address, kind, name). NULL when the file cannot be read, is neither, or names no function.
 */
struct elf_symbols *elf_symbols_load(const char *file);
void elf_symbols_free(struct elf_symbols *symbols);

/*
 * One by one: names whose memory need not last, then elf_symbols_settle, before which nothing may be asked.
 * bytes == 0: it is not known how long it is. elf_symbols_create gives NULL, and elf_symbols_add false, when
 * memory is short.
 */
struct elf_symbols *elf_symbols_create(void);
enum elf_symbol_kind { ELF_SYMBOL_FUNCTION, ELF_SYMBOL_DATA };
bool elf_symbols_add(struct elf_symbols *symbols, enum elf_symbol_kind kind, uint64_t address, uint64_t bytes,
                     const char *name, size_t name_chars);
void elf_symbols_settle(struct elf_symbols *symbols);

/*
 * The function that `address` lies in, or behind whose beginning it lies when the file does not say how long
 * the function is; *offset is how far. NULL: none, also when `symbols` is NULL.
 */
const char *elf_symbols_find(const struct elf_symbols *symbols, uint64_t address, uint64_t *offset);

/* The same with where the function begins, and its length; *bytes == 0: not known. */
const char *elf_symbols_bounds(const struct elf_symbols *symbols, uint64_t address, uint64_t *start,
                               uint64_t *bytes);

/* "forgetful_send+0x1c" for an address that lies in a function; others in hexadecimal. */
void elf_symbols_place(const struct elf_symbols *symbols, uint64_t address, char *text, size_t size);

/*
 * The address of a function with this name, or else of a variable; the lowest if there are several. False:
 * none, also when `symbols` is NULL.
 */
bool elf_symbols_address(const struct elf_symbols *symbols, const char *name, uint64_t *address);

#endif
