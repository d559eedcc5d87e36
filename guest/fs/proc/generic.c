/* Files that are always there: folders, links, text. */
#include "asm/uaccess.h"
#include "err.h"
#include "internal.h"
#include "string.h"

#define FIRST_ENTRY_POS 2 /* behind "." and ".." */

static int show_entry(struct seq_file *m, void *inode)
{
    PROC_I(inode)->entry->show(m);
    return 0;
}

static int proc_reg_open(struct inode *inode, struct file *file)
{
    if ((file->f_mode & FMODE_READ) && PROC_I(inode)->entry->show == NULL)
        return -EACCES;
    return single_open(file, show_entry, inode);
}

int proc_copy_text(char text[PROC_WRITE_MOST], const char __user *buf, size_t count)
{
    if (count >= PROC_WRITE_MOST)
        return -EINVAL;
    if (copy_from_user(text, buf, count))
        return -EFAULT;
    if (count && text[count - 1] == '\n')
        count--;
    text[count] = '\0';
    return 0;
}

int proc_parse_number(const char *text, unsigned long most, unsigned long *value)
{
    u64 number = 0;
    if (*text == '\0')
        return -EINVAL;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -EINVAL;
        number = number * 10 + (u64)(*text - '0');
        if (number > most)
            return -EINVAL;
    }
    *value = (unsigned long)number;
    return 0;
}

static ssize_t proc_reg_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
    const struct proc_entry *entry = PROC_I(file_inode(file))->entry;
    char text[PROC_WRITE_MOST];
    if (entry->store == NULL)
        return -EIO;
    int error = proc_copy_text(text, buf, count);
    if (error == 0)
        error = entry->store(text);
    if (error)
        return error;
    *pos += (loff_t)count;
    return (ssize_t)count;
}

static const struct file_operations proc_reg_operations = {
    .open = proc_reg_open,
    .read = single_read,
    .write = proc_reg_write,
    .llseek = generic_file_llseek,
    .release = single_release,
};

/* Nothing is stored: a file that is opened with O_TRUNC stays what it is. */
int proc_setattr(struct dentry *dentry, struct iattr *attr)
{
    (void)dentry;
    return (attr->ia_valid & (ATTR_MODE | ATTR_UID | ATTR_GID)) ? -EPERM : 0;
}

const struct inode_operations proc_file_inode_operations = {.setattr = proc_setattr};

static int proc_link_readlink(struct dentry *dentry, char *buf, u32 size)
{
    const struct proc_entry *entry = PROC_I(dentry->d_inode)->entry;
    char made[32];
    const char *target = entry->target;
    if (entry->get_target) {
        entry->get_target(made, sizeof(made));
        target = made;
    }
    u32 bytes = min((u32)strlen(target), size);
    memcpy(buf, target, bytes);
    return (int)bytes;
}

static const struct inode_operations proc_link_inode_operations = {.readlink = proc_link_readlink,
                                                                   .setattr = proc_setattr};

const struct proc_entry *proc_find_entry(const struct proc_entry *entries, const struct qstr *name)
{
    for (; entries->name; entries++)
        if (strlen(entries->name) == name->len && strncmp(entries->name, name->name, name->len) == 0)
            return entries;
    return NULL;
}

bool proc_emit_entries(struct dir_context *ctx, const struct proc_entry *entries)
{
    for (loff_t pos = FIRST_ENTRY_POS; entries->name; entries++, pos++) {
        if (pos < ctx->pos)
            continue;
        if (!dir_emit(ctx, entries->name, (u32)strlen(entries->name), 1, mode_to_dt(entries->mode)))
            return false;
        ctx->pos = pos + 1;
    }
    return true;
}

static struct dentry *proc_dir_lookup(struct inode *dir, struct dentry *dentry)
{
    const struct proc_entry *entry = proc_find_entry(PROC_I(dir)->entry->entries, &dentry->d_name);
    if (entry == NULL) {
        d_add(dentry, NULL);
        return NULL;
    }
    struct inode *inode = proc_get_entry_inode(dir->i_sb, entry);
    return proc_add(dentry, inode ? PROC_I(inode) : NULL);
}

static int proc_dir_iterate(struct file *file, struct dir_context *ctx)
{
    if (dir_emit_dots(file, ctx))
        proc_emit_entries(ctx, PROC_I(file_inode(file))->entry->entries);
    return 0;
}

static const struct inode_operations proc_dir_inode_operations = {.lookup = proc_dir_lookup,
                                                                  .setattr = proc_setattr};
static const struct file_operations proc_dir_operations = {.iterate_shared = proc_dir_iterate,
                                                           .llseek = generic_file_llseek};

struct inode *proc_get_entry_inode(struct super_block *sb, const struct proc_entry *entry)
{
    struct proc_inode *inode = proc_new_inode(sb, entry->mode);
    if (inode == NULL)
        return NULL;
    inode->entry = entry;
    if (S_ISDIR(entry->mode)) {
        inode->vfs_inode.i_op = &proc_dir_inode_operations;
        inode->vfs_inode.i_fop = &proc_dir_operations;
    } else if (S_ISLNK(entry->mode)) {
        inode->vfs_inode.i_op = &proc_link_inode_operations;
    } else {
        inode->vfs_inode.i_op = &proc_file_inode_operations;
        inode->vfs_inode.i_fop = &proc_reg_operations;
    }
    return &inode->vfs_inode;
}
