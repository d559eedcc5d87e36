/* /proc/mounts: what is mounted where, as far as the reading task can see it. */
#include "err.h"
#include "fs_struct.h"
#include "internal.h"
#include "seq_file.h"

static bool is_visible(const struct vfsmount *mnt, const struct vfsmount *root)
{
    while (mnt != root && mnt->mnt_parent != mnt)
        mnt = mnt->mnt_parent;
    return mnt == root;
}

static void show_flags(struct seq_file *m, const struct vfsmount *mnt)
{
    static const struct {
        u32 flag;
        const char *text;
    } rows[] = {
        {MNT_NOSUID, ",nosuid"}, {MNT_NODEV, ",nodev"}, {MNT_NOEXEC, ",noexec"}, {MNT_NOATIME, ",noatime"}};
    bool is_read_only = (mnt->mnt_flags & MNT_READONLY) || (mnt->mnt_sb->s_flags & SB_RDONLY);
    seq_printf(m, is_read_only ? "ro" : "rw");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (mnt->mnt_flags & rows[i].flag)
            seq_printf(m, "%s", rows[i].text);
    if (!(mnt->mnt_flags & MNT_NOATIME))
        seq_printf(m, ",relatime");
}

static void show_mount(struct seq_file *m, struct vfsmount *mnt, char *buf)
{
    const struct path path = {.mnt = mnt, .dentry = mnt->mnt_root};
    const char *place = d_path(&path, buf, PATH_MAX);
    seq_printf(m, "%s %s %s ", mnt->mnt_devname, IS_ERR(place) ? "?" : place, mnt->mnt_sb->s_type->name);
    show_flags(m, mnt);
    if (mnt->mnt_sb->s_op->show_options)
        mnt->mnt_sb->s_op->show_options(m, mnt->mnt_sb);
    seq_printf(m, " 0 0\n");
}

void mounts_show(struct seq_file *m)
{
    struct path root;
    struct vfsmount *mnt;
    char *buf = __getname();
    if (buf == NULL)
        return;
    get_fs_root(&root);
    list_for_each_entry(mnt, &mount_list, mnt_list)
    {
        if (is_visible(mnt, root.mnt))
            show_mount(m, mnt, buf);
    }
    path_put(&root);
    putname(buf);
}
