/*
 * Names of functions from an ELF file: this test's own, whose functions the compiler has put where it says.
 */
#include "sim/load/elf_symbols.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const char __executable_start[];

__attribute__((noinline, used)) static int a_function_with_a_name(int x)
{
    return x * 3 + 1;
}

/* What the symbol table has: where the linker put it, whatever the loader added. */
static uint64_t linked_at(uintptr_t address)
{
    return address - (uintptr_t)__executable_start;
}

Test(elf_symbols, names_of_this_program)
{
    struct elf_symbols *symbols = elf_symbols_load("/proc/self/exe");
    uint64_t at = linked_at((uintptr_t)a_function_with_a_name), offset = 99;
    cr_assert_not_null(symbols);
    const char *name = elf_symbols_find(symbols, at, &offset);
    cr_assert_not_null(name);
    cr_assert_str_eq(name, "a_function_with_a_name");
    cr_assert_eq(offset, 0);
    cr_assert_str_eq(elf_symbols_find(symbols, at + 2, &offset), "a_function_with_a_name");
    cr_assert_eq(offset, 2);
    name = elf_symbols_find(symbols, linked_at((uintptr_t)elf_symbols_load), &offset);
    cr_assert_str_eq(name, "elf_symbols_load");
    cr_assert_null(elf_symbols_find(symbols, 0, &offset), "no function lies at 0");
    elf_symbols_free(symbols);
}

/* A file of these bytes, with one byte changed. */
static void write_mutant(const char *file, const unsigned char *bytes, size_t size, size_t at,
                         unsigned char xor)
{
    FILE *to = fopen(file, "wb");
    cr_assert_not_null(to);
    for (size_t i = 0; i < size; i++)
        fputc(bytes[i] ^ (i == at ? xor : 0), to);
    fclose(to);
}

/* Whatever a header says: an answer, or none, and no crash. */
Test(elf_symbols, broken_files)
{
    uint64_t offset;
    char file[] = "/tmp/elf_symbols.XXXXXX";
    int fd = mkstemp(file);
    cr_assert(fd >= 0);
    close(fd);
    cr_assert_null(elf_symbols_load(file), "an empty file");
    cr_assert_null(elf_symbols_load("/nonexistent"));
    cr_assert_null(elf_symbols_load("/proc/self/cmdline"), "no ELF file");
    cr_assert_null(elf_symbols_find(NULL, 1, &offset));

    static unsigned char bytes[1 << 23];
    FILE *from = fopen("/proc/self/exe", "rb");
    cr_assert_not_null(from);
    size_t size = fread(bytes, 1, sizeof bytes, from);
    fclose(from);
    for (size_t at = 0; at < 64; at++) { /* the ELF header */
        write_mutant(file, bytes, size, at, 0xFF);
        struct elf_symbols *symbols = elf_symbols_load(file);
        elf_symbols_find(symbols, linked_at((uintptr_t)a_function_with_a_name), &offset);
        elf_symbols_free(symbols);
    }
    write_mutant(file, bytes, 80, 0, 0); /* cut off */
    cr_assert_null(elf_symbols_load(file));
    unlink(file);
}
