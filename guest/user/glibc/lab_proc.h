/* For labs that are programs of the root file system: what /proc says, and what it can be told. */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lab_program.h"

static inline int mount_proc(void)
{
    return mount("proc", "/proc", "proc", 0, NULL) == 0;
}

/* A small file as text. */
static inline const char *proc_text(const char *name)
{
    static char text[8192];
    int fd = open(name, O_RDONLY);
    ssize_t bytes = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[bytes > 0 ? bytes : 0] = '\0';
    return text;
}

/* The number in the line that begins with this name, with or without a colon behind it; -1: there is none. */
static inline long value_in(const char *text, const char *name)
{
    const size_t length = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) == 0 && (line[length] == ' ' || line[length] == ':'))
            return strtol(line + length + 1, NULL, 10);
    }
    return -1;
}

static inline long meminfo(const char *name)
{
    return value_in(proc_text("/proc/meminfo"), name);
}

static inline long vmstat(const char *name)
{
    return value_in(proc_text("/proc/vmstat"), name);
}

static inline int proc_set(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY);
    int is_set = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return is_set;
}

/* A stretch of the lab: lookaside reports what it counted there under this name. */
static inline void region_begin(uint32_t id, const char *name)
{
    /* What is not in memory a marker does not find. */
    volatile size_t length = strlen(name);
    (void)length;
    marker_3(id, name);
    marker_1(id);
}

static inline void region_end(uint32_t id)
{
    marker_2(id);
}
