/* The types of file systems that can be mounted. */
#include "fs.h"
#include "seq_file.h"
#include "string.h"

static struct file_system_type *file_systems;

void register_filesystem(struct file_system_type *type)
{
    struct file_system_type **last = &file_systems;
    while (*last)
        last = &(*last)->next;
    *last = type;
}

const struct file_system_type *get_fs_type(const char *name)
{
    const struct file_system_type *type = file_systems;
    while (type && strcmp(type->name, name))
        type = type->next;
    return type;
}

void filesystems_show(struct seq_file *m)
{
    for (const struct file_system_type *type = file_systems; type; type = type->next)
        seq_printf(m, "%s\t%s\n", (type->fs_flags & FS_REQUIRES_DEV) ? "" : "nodev", type->name);
}
