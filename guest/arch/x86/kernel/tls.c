/* set_thread_area(2), get_thread_area(2). */
#include "asm/tls.h"
#include "asm/irqflags.h"
#include "asm/ptrace.h"
#include "asm/segment.h"
#include "asm/uaccess.h"
#include "string.h"
#include "sys_task.h"

/* As the user gives it. */
struct user_desc {
    u32 entry_number, base_addr, limit;
    u32 flags; /* DESC_ bits, and the contents: the upper two bits of the type */
};
#define DESC_SEG_32BIT 0x1u
#define DESC_CONTENTS_SHIFT 1
#define DESC_READ_EXEC_ONLY 0x8u
#define DESC_LIMIT_IN_PAGES 0x10u
#define DESC_SEG_NOT_PRESENT 0x20u
#define DESC_USEABLE 0x40u
/* What an entry looks like that is to be empty. */
#define DESC_EMPTY (DESC_READ_EXEC_ONLY | DESC_SEG_NOT_PRESENT)

#define CONTENTS_CODE 2u /* and 3, conforming code */

static bool is_empty(const struct user_desc *info)
{
    bool is_zero = info->base_addr == 0 && info->limit == 0;
    return is_zero && (info->flags == DESC_EMPTY || info->flags == 0);
}

/* SDM 3A 3.4.5: data or code of DPL 3. */
static struct desc_struct make_tls_desc(const struct user_desc *info)
{
    u32 flags = info->flags, contents = flags >> DESC_CONTENTS_SHIFT & 3;
    u32 type = contents << 2 | (flags & DESC_READ_EXEC_ONLY ? 0 : 2) | 1 /* accessed */;
    u32 access = type | 1u << 4 | 3u << 5 | (flags & DESC_SEG_NOT_PRESENT ? 0 : 1u << 7);
    u32 granularity = (flags & DESC_LIMIT_IN_PAGES ? 8u : 0) | (flags & DESC_SEG_32BIT ? 4u : 0) |
                      (flags & DESC_USEABLE ? 1u : 0);
    return (struct desc_struct){
        .a = info->base_addr << 16 | (info->limit & 0xFFFF),
        .b = (info->base_addr & 0xFF000000) | granularity << 20 | (info->limit & 0xF0000) | access << 8 |
             (info->base_addr >> 16 & 0xFF),
    };
}

static void fill_user_desc(struct user_desc *info, const struct desc_struct *desc)
{
    u32 a = desc->a, b = desc->b;
    if (a == 0 && b == 0) {
        info->flags = DESC_EMPTY;
        return;
    }
    info->base_addr = (b & 0xFF000000) | (b & 0xFF) << 16 | a >> 16;
    info->limit = (b & 0xF0000) | (a & 0xFFFF);
    info->flags = (b & 1u << 22 ? DESC_SEG_32BIT : 0) | (b >> 10 & 3) << DESC_CONTENTS_SHIFT |
                  (b & 1u << 9 ? 0 : DESC_READ_EXEC_ONLY) | (b & 1u << 23 ? DESC_LIMIT_IN_PAGES : 0) |
                  (b & 1u << 15 ? 0 : DESC_SEG_NOT_PRESENT) | (b & 1u << 20 ? DESC_USEABLE : 0);
}

/* A segment that would do harm in the kernel, or none: code, 16-bit or not present are not for data. */
static bool is_allowed(const struct user_desc *info)
{
    return is_empty(info) ||
           ((info->flags & DESC_SEG_32BIT) && (info->flags >> DESC_CONTENTS_SHIFT & 3) < CONTENTS_CODE &&
            !(info->flags & DESC_SEG_NOT_PRESENT));
}

static u32 free_entry(const struct task_struct *task)
{
    u32 i = 0;
    while (i < GDT_ENTRY_TLS_ENTRIES && (task->thread.tls_array[i].a || task->thread.tls_array[i].b))
        i++;
    return i;
}

int set_thread_area_of(struct task_struct *task, u32 user_desc, bool may_choose)
{
    struct user_desc info;
    if (copy_from_user(&info, (const void *)user_desc, sizeof(info)))
        return -EFAULT;
    if (!is_allowed(&info))
        return -EINVAL;
    if (info.entry_number == ~0u && may_choose) {
        info.entry_number = GDT_ENTRY_TLS_MIN + free_entry(task);
        if (info.entry_number == GDT_ENTRY_TLS_MIN + GDT_ENTRY_TLS_ENTRIES)
            return -ESRCH;
        if (put_user_u32(info.entry_number, (u32 *)user_desc))
            return -EFAULT;
    }
    u32 index = info.entry_number - GDT_ENTRY_TLS_MIN;
    if (index >= GDT_ENTRY_TLS_ENTRIES)
        return -EINVAL;
    task->thread.tls_array[index] = is_empty(&info) ? (struct desc_struct){0} : make_tls_desc(&info);
    if (task == current)
        load_tls(current);
    return 0;
}

void clear_tls(void)
{
    memset(current->thread.tls_array, 0, sizeof(current->thread.tls_array));
    load_tls(current);
}

long sys_set_thread_area(const struct pt_regs *regs)
{
    return set_thread_area_of(current, regs->bx, true);
}

long sys_get_thread_area(const struct pt_regs *regs)
{
    struct user_desc info;
    if (copy_from_user(&info, (const void *)regs->bx, sizeof(info)))
        return -EFAULT;
    u32 index = info.entry_number - GDT_ENTRY_TLS_MIN;
    if (index >= GDT_ENTRY_TLS_ENTRIES)
        return -EINVAL;
    fill_user_desc(&info, &current->thread.tls_array[index]);
    return copy_to_user((void *)regs->bx, &info, sizeof(info)) ? -EFAULT : 0;
}
