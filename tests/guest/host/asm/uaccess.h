/*
 * The guest's asm/uaccess.h for a host build: a user's buffer is memory of the test's, of which a part may be
 * absent until somebody touches it (host_fs.h).
 */
#pragma once

#include "compiler.h"
#include "errno.h"
#include "types.h"

unsigned long copy_from_user(void *to, const void __user *from, unsigned long bytes);
unsigned long copy_to_user(void __user *to, const void *from, unsigned long bytes);
int get_user_u32(u32 *value, const u32 __user *from);
int put_user_u32(u32 value, u32 __user *to);
void pagefault_disable(void);
void pagefault_enable(void);
