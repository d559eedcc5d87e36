/* The instructions that touch user memory, each with its row in the exception table. */
#include "uaccess.h"

/* What is left in ECX when a byte faults is what was not copied. */
static unsigned long copy_user_bytes(void *to, const void *from, unsigned long bytes)
{
    __asm__ volatile("1:\trep movsb\n"
                     "2:\n\t" EX_TABLE("1b", "2b")
                     : "+c"(bytes), "+D"(to), "+S"(from)::"memory");
    return bytes;
}

unsigned long copy_from_user(void *to, const void __user *from, unsigned long bytes)
{
    return current->has_kernel_buffers || access_ok(from, bytes) ? copy_user_bytes(to, from, bytes) : bytes;
}

unsigned long copy_to_user(void __user *to, const void *from, unsigned long bytes)
{
    return current->has_kernel_buffers || access_ok(to, bytes) ? copy_user_bytes(to, from, bytes) : bytes;
}

int get_user_u32(u32 *value, const u32 __user *from)
{
    return copy_from_user(value, from, sizeof(*value)) ? -EFAULT : 0;
}

int put_user_u32(u32 value, u32 __user *to)
{
    return copy_to_user(to, &value, sizeof(value)) ? -EFAULT : 0;
}
