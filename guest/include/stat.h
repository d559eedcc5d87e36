/* The kinds and permissions of files. */
#pragma once

#include "kdev_t.h"
#include "time64.h"

typedef u16 umode_t;

#define S_IFMT 0170000u
#define S_IFSOCK 0140000u
#define S_IFLNK 0120000u
#define S_IFREG 0100000u
#define S_IFBLK 0060000u
#define S_IFDIR 0040000u
#define S_IFCHR 0020000u
#define S_IFIFO 0010000u
#define S_ISUID 0004000u
#define S_ISGID 0002000u
#define S_ISVTX 0001000u
#define S_IRWXUGO 0777u
#define S_IALLUGO 07777u
#define S_IXUGO 0111u

#define S_ISLNK(mode) (((mode)&S_IFMT) == S_IFLNK)
#define S_ISREG(mode) (((mode)&S_IFMT) == S_IFREG)
#define S_ISDIR(mode) (((mode)&S_IFMT) == S_IFDIR)
#define S_ISCHR(mode) (((mode)&S_IFMT) == S_IFCHR)
#define S_ISBLK(mode) (((mode)&S_IFMT) == S_IFBLK)
#define S_ISFIFO(mode) (((mode)&S_IFMT) == S_IFIFO)
#define S_ISSOCK(mode) (((mode)&S_IFMT) == S_IFSOCK)

/* What is known about a file, before it takes one of the shapes in which programs want it. */
struct kstat {
    dev_t dev, rdev;
    u64 ino;
    umode_t mode;
    u32 nlink;
    u32 uid, gid;
    s64 size; /* bytes */
    u32 blksize;
    u64 blocks; /* of 512 bytes */
    struct timespec64 atime, mtime, ctime;
};
