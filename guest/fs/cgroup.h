/* What the files of the file system of groups share. */
#pragma once

#include "types.h"

struct mem_cgroup;
struct seq_file;

/* A file that is in every folder. memcg is its group, NULL for the root. */
struct cftype {
    const char *name;
    bool is_not_of_root;
    int (*show)(struct seq_file *m, struct mem_cgroup *memcg);
    /* Gets what was written, without the newline behind it. 0 or an error. */
    int (*write)(struct mem_cgroup *memcg, const char *text);
};

/* cgroup_memory.c; the last one has no name. */
extern const struct cftype cgroup_memory_files[];
