/*
 * All the C library that the programs in here have. System calls return -1 and leave the error number in
 * errno.
 */
#pragma once

#include "compiler.h"
#include "errno.h"
#include "string.h"
#include "types.h"

extern int errno;

__noreturn void exit(int status);
long read(int fd, void *buf, size_t bytes);
long write(int fd, const void *buf, size_t bytes);
int getpid(void);
int nanosleep(u32 seconds, u32 nanoseconds);
/* Moves the end of the heap by so many bytes and returns the old end, or (void *)-1. */
void *sbrk(long bytes);

__printf(1, 2) int printf(const char *fmt, ...);
/* The value of a variable, or NULL. */
const char *getenv(char *const envp[], const char *name);
/* A decimal number from the environment, or otherwise. */
u32 getenv_u32(char *const envp[], const char *name, u32 otherwise);
