/* A disk for the guest's file systems: a file of the host's. */
#pragma once

/* The disk is this file, open for reading and writing, of so many bytes. Its pages are there from now on. */
void guest_disk_start(int fd, unsigned long bytes);
/* Writes out everything, and forgets it. */
void guest_disk_end(void);
/* So many commands go well, and no others; negative: all do. */
void guest_disk_fail_after(long nr_commands);
/* Mounts its ext2 file system on a folder. 0 or a negative error number. */
long guest_mount_ext2(const char *dir);
/* Pages that are clean go, so that they are read from the disk when they are wanted again. */
void guest_drop_caches(void);
long guest_fsync(int fd);
/* Writes out what is mounted there. */
long guest_syncfs(const char *dir);
