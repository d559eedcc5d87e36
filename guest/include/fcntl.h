/* Flags of open(2), fcntl(2) and the *at() calls, by Linux's numbers on i386. */
#pragma once

#define O_ACCMODE 03u
#define O_RDONLY 00u
#define O_WRONLY 01u
#define O_RDWR 02u
#define O_CREAT 0100u
#define O_EXCL 0200u
#define O_NOCTTY 0400u
#define O_TRUNC 01000u
#define O_APPEND 02000u
#define O_NONBLOCK 04000u
#define O_DSYNC 010000u
#define O_ASYNC 020000u
#define O_DIRECT 040000u
#define O_LARGEFILE 0100000u
#define O_DIRECTORY 0200000u
#define O_NOFOLLOW 0400000u
#define O_NOATIME 01000000u
#define O_CLOEXEC 02000000u
#define O_PATH 010000000u

/* posix_fadvise(2) */
#define POSIX_FADV_NORMAL 0u
#define POSIX_FADV_RANDOM 1u
#define POSIX_FADV_SEQUENTIAL 2u
#define POSIX_FADV_WILLNEED 3u
#define POSIX_FADV_DONTNEED 4u
#define POSIX_FADV_NOREUSE 5u

/* sync_file_range(2) */
#define SYNC_FILE_RANGE_WAIT_BEFORE 1u
#define SYNC_FILE_RANGE_WRITE 2u
#define SYNC_FILE_RANGE_WAIT_AFTER 4u
#define SYNC_FILE_RANGE_ALL 7u

#define F_DUPFD 0u
#define F_GETFD 1u
#define F_SETFD 2u
#define F_GETFL 3u
#define F_SETFL 4u
#define F_GETLK 5u
#define F_SETLK 6u
#define F_SETLKW 7u
#define F_SETOWN 8u
#define F_GETOWN 9u
#define F_GETLK64 12u
#define F_SETLK64 13u
#define F_SETLKW64 14u
#define F_OFD_GETLK 36u /* locks that belong to the open file, as flock()'s do */
#define F_OFD_SETLK 37u
#define F_OFD_SETLKW 38u
#define F_DUPFD_CLOEXEC 1030u
#define F_SETPIPE_SZ 1031u
#define F_GETPIPE_SZ 1032u
#define FD_CLOEXEC 1u

#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2

#define AT_FDCWD (-100)
#define AT_SYMLINK_NOFOLLOW 0x100u
#define AT_EACCESS 0x200u
#define AT_REMOVEDIR 0x200u
#define AT_SYMLINK_FOLLOW 0x400u
#define AT_NO_AUTOMOUNT 0x800u
#define AT_EMPTY_PATH 0x1000u

#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#define SEEK_DATA 3
#define SEEK_HOLE 4
