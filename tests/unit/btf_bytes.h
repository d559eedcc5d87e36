/* The BTF of a source file of this folder, as clang makes it for the BPF target. */
#ifndef LK_TESTS_BTF_BYTES_H
#define LK_TESTS_BTF_BYTES_H

#include <fcntl.h>
#include <gelf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From malloc. NULL: there is no clang here that can do it. */
static inline uint8_t *btf_of_source(const char *text, size_t *nr_bytes)
{
    char object[] = "/tmp/btf.XXXXXX", command[1024];
    uint8_t *bytes = NULL;
    int fd = mkstemp(object);
    snprintf(command, sizeof command,
             "printf '%%s\\n' '%s' | clang -target bpf -g -c -I " LK_SOURCE_DIR " -x c -o %s - 2>/dev/null",
             text, object);
    if (fd >= 0)
        close(fd);
    fd = fd >= 0 && system(command) == 0 ? open(object, O_RDONLY) : -1; /* NOLINT(cert-env33-c) */
    if (fd >= 0) {
        elf_version(EV_CURRENT);
        Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
        size_t names = 0;
        if (elf)
            elf_getshdrstrndx(elf, &names);
        for (Elf_Scn *section = NULL; elf && (section = elf_nextscn(elf, section)) != NULL;) {
            GElf_Shdr header;
            if (!gelf_getshdr(section, &header) ||
                strcmp(elf_strptr(elf, names, header.sh_name), ".BTF") != 0)
                continue;
            const Elf_Data *data = elf_getdata(section, NULL);
            free(bytes);
            bytes = malloc(data->d_size);
            if (bytes)
                memcpy(bytes, data->d_buf, data->d_size);
            *nr_bytes = data->d_size;
        }
        elf_end(elf);
        close(fd);
    }
    unlink(object);
    return bytes;
}

#endif
