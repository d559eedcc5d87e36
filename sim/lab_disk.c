#include "sim/lab_disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint32_t lab_disk_word(uint32_t number)
{
    return number * 0x9E3779B1u ^ 0xD15Cu;
}

static void put_word(uint8_t *to, uint32_t word)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(word >> 8 * i);
}

static bool write_words(FILE *to)
{
    uint8_t bytes[4096];
    for (uint32_t number = 0; number < LAB_DISK_WORDS;) {
        for (size_t i = 0; i < sizeof bytes; i += 4)
            put_word(bytes + i, lab_disk_word(number++));
        if (fwrite(bytes, 1, sizeof bytes, to) != sizeof bytes)
            return false;
    }
    return true;
}

bool lab_disk_make(char file[LAB_DISK_FILE_CHARS], struct diag *diag)
{
    const char *folder = getenv("TMPDIR");
    if (snprintf(file, LAB_DISK_FILE_CHARS, "%s/lookaside-lab-disk.XXXXXX",
                 folder && *folder ? folder : "/tmp") >= LAB_DISK_FILE_CHARS)
        return diag_add(diag, EXIT_STATUS_NO_OUTPUT, "TMPDIR: this path is too long");
    int fd = mkstemp(file);
    FILE *to = fd < 0 ? NULL : fdopen(fd, "wb");
    if (!to)
        return diag_add(diag, EXIT_STATUS_NO_OUTPUT, "%s: cannot make the lab's disk: %s", file,
                        strerror(errno));
    bool is_good = write_words(to);
    is_good &= fclose(to) == 0;
    if (!is_good) {
        diag_add(diag, EXIT_STATUS_NO_OUTPUT, "%s: cannot write the lab's disk: %s", file, strerror(errno));
        unlink(file);
    }
    return is_good;
}

uint32_t *lab_disk_take(const char *file, struct diag *diag)
{
    uint32_t *words = malloc(LAB_DISK_BYTES);
    FILE *from = words ? fopen(file, "rb") : NULL;
    bool is_good = from && fread(words, 1, LAB_DISK_BYTES, from) == LAB_DISK_BYTES && fgetc(from) == EOF;
    if (from)
        fclose(from);
    unlink(file);
    if (is_good) {
        for (uint32_t i = 0; i < LAB_DISK_WORDS; i++) {
            const uint8_t *bytes = (const uint8_t *)&words[i];
            words[i] =
                bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
        }
        return words;
    }
    free(words);
    diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: cannot read the lab's disk, or it has another size", file);
    return NULL;
}
