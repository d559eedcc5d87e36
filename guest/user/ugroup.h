/* Memory cgroups as programs use them: folders and files below /cgroup. */
#pragma once

#include "uproc.h"

#define PAGE_BYTES 4096u
#define ROOT "/cgroup"

static char path_buf[128];

static inline const char *group_file(const char *group, const char *name)
{
    snprintf(path_buf, sizeof(path_buf), ROOT "/%s/%s", group, name);
    return path_buf;
}

static inline int make_group(const char *group)
{
    snprintf(path_buf, sizeof(path_buf), ROOT "/%s", group);
    return mkdir(path_buf, 0755);
}

static inline int remove_group(const char *group)
{
    snprintf(path_buf, sizeof(path_buf), ROOT "/%s", group);
    return rmdir(path_buf);
}

static inline int set(const char *group, const char *name, const char *text)
{
    return write_text(group_file(group, name), text);
}

static inline bool reads(const char *group, const char *name, const char *expected)
{
    char text[64];
    read_text(group_file(group, name), text, sizeof(text));
    size_t length = strlen(expected);
    return strncmp(text, expected, length) == 0 && text[length] == '\n';
}

static inline u32 pages_of(const char *group, const char *name)
{
    return (u32)read_number(group_file(group, name)) / PAGE_BYTES;
}

static inline u32 usage(const char *group)
{
    return pages_of(group, "memory.usage_in_bytes");
}
