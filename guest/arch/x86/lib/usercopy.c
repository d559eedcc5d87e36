/* The instructions that touch user memory, each with its row in the exception table. */
#include "uaccess.h"

/*
 * Words, then the rest by bytes. Where a word faults, bytes go on until one of them does, too: what is left
 * in ECX then is what was not copied.
 */
static unsigned long copy_user_bytes(void *to, const void *from, unsigned long bytes)
{
    unsigned long count = bytes / 4, rest = bytes % 4;
    __asm__ volatile("1:\trep movsl\n\t"
                     "movl %3, %%ecx\n"
                     "2:\trep movsb\n"
                     "3:\n\t"
                     ".subsection 1\n"
                     "4:\tleal (%3,%%ecx,4), %%ecx\n\t"
                     "jmp 2b\n\t"
                     ".previous\n\t" EX_TABLE("1b", "4b") EX_TABLE("2b", "3b")
                     : "+&c"(count), "+&D"(to), "+&S"(from)
                     : "r"(rest)
                     : "memory");
    return count;
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
