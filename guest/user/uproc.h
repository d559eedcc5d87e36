/* Small files of text, as /proc has them, for programs of this folder. */
#pragma once

#include "printk.h"
#include "ufiles.h"

/* The file's text, with a NUL; "" if it cannot be read. */
static inline const char *read_text(const char *name, char *buf, size_t size)
{
    size_t count = 0;
    long bytes;
    int fd = open(name, O_RDONLY, 0);
    while (fd >= 0 && (bytes = read(fd, buf + count, size - 1 - count)) > 0)
        count += (size_t)bytes;
    if (fd >= 0)
        close(fd);
    buf[count] = 0;
    return buf;
}

/* 0, or -1 and errno. */
static inline int write_text(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY, 0);
    if (fd < 0)
        return -1;
    size_t bytes = strlen(text);
    long written = write(fd, text, bytes);
    int error = errno;
    close(fd);
    errno = error;
    return written == (long)bytes ? 0 : -1;
}

static inline int write_number(const char *name, long number)
{
    char text[16];
    snprintf(text, sizeof(text), "%ld\n", number);
    return write_text(name, text);
}

/* The number with which text begins, blanks and a sign before it allowed. */
static inline long number_of(const char *text)
{
    long number = 0;
    while (*text == ' ' || *text == '\t' || *text == '\n')
        text++;
    bool is_negative = *text == '-';
    for (text += is_negative; *text >= '0' && *text <= '9'; text++)
        number = number * 10 + (*text - '0');
    return is_negative ? -number : number;
}

static inline long read_number(const char *name)
{
    char text[64];
    return number_of(read_text(name, text, sizeof(text)));
}

/* The text behind this word at the beginning of a line, or NULL. */
static inline const char *line_after(const char *text, const char *word)
{
    size_t length = strlen(word);
    while (*text) {
        if (strncmp(text, word, length) == 0)
            return text + length;
        while (*text && *text++ != '\n')
            ;
    }
    return NULL;
}

/* The number behind it in this file; -1: it has no such line. */
static inline long number_after(const char *name, const char *word)
{
    static char text[8192];
    const char *found = line_after(read_text(name, text, sizeof(text)), word);
    return found ? number_of(found) : -1;
}

/* "/proc/PID/name" */
static inline const char *task_file(int pid, const char *name)
{
    static char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    return path;
}

/* A file system on a folder that may have to be made first; it may be there already. */
static inline bool mount_on(const char *type, const char *folder, const char *options)
{
    mkdir(folder, 0755);
    return syscall5(__NR_mount, word_of(type), word_of(folder), word_of(type), 0, word_of(options)) == 0 ||
           errno == EBUSY;
}
