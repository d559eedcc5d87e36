/* Page faults: legal ones are served, the rest is somebody's mistake. */
#include "asm/irqflags.h"
#include "asm/pgtable.h"
#include "asm/ptrace.h"
#include "asm/trapnr.h"
#include "asm/traps.h"
#include "asm/uaccess.h"
#include "oom.h"
#include "printk.h"
#include "sched.h"

/* PUSHA and ENTER touch the stack before they move ESP, the latter by up to 64 KiB and 32 words. */
#define STACK_SLACK_BYTES (65536 + 32 * sizeof(long))

u32 pagefault_depth;

static void show_fault_entries(unsigned long address)
{
    pgd_t *pgd = pgd_offset(__va(read_cr3() & CR3_TABLE_MASK), address);
    if (!pgd_present(*pgd)) {
        pr_emerg("*pdpte = " PTE_FORMAT "\n", pgd->pgd);
        return;
    }
    pmd_t *pmd = pmd_offset(pgd, address);
    pr_emerg("*pde = " PTE_FORMAT "\n", pmd->pmd);
    if (pmd_present(*pmd) && !pmd_large(*pmd))
        pr_emerg("*pte = " PTE_FORMAT "\n", pte_offset_kernel(pmd, address)->pte);
}

/* The kernel touched a bad address: as copy_from_user() and its like expect it, or an oops. */
static void no_context(struct pt_regs *regs, u32 error_code, unsigned long address)
{
    u32 fixup = search_exception_table(regs->ip);
    if (fixup) {
        regs->ip = fixup;
        return;
    }
    pr_emerg("BUG: unable to handle kernel %s at %08lx\n",
             address < PAGE_SIZE ? "NULL pointer dereference" : "paging request", address);
    show_fault_entries(address);
    die("Oops", regs, error_code);
}

static void bad_area(struct pt_regs *regs, u32 error_code, unsigned long address, int si_code)
{
    if (!user_mode(regs)) {
        no_context(regs, error_code, address);
        return;
    }
    if (sig_is_unhandled(SIGSEGV))
        pr_err("%s[%u]: segfault at %lx ip %08x sp %08x error %x\n", current->comm, current->pid, address,
               regs->ip, regs->sp, error_code);
    current->thread.trap_nr = X86_TRAP_PF;
    /* A page of the kernel's looks like one that is there, whether it is or not. */
    current->thread.error_code = error_code | (address >= TASK_SIZE ? X86_PF_PROT : 0);
    current->thread.cr2 = address;
    force_sig_fault(SIGSEGV, si_code, address);
}

/* The area reaches behind the end of its file, or the file cannot be read. */
static void do_sigbus(struct pt_regs *regs, u32 error_code, unsigned long address)
{
    current->thread.cr2 = address;
    if (user_mode(regs))
        force_sig_fault(SIGBUS, BUS_ADRERR, address);
    else
        no_context(regs, error_code, address);
}

/* The access is tried again when there is memory; the kernel's own fails if this task has to end. */
static void no_memory(struct pt_regs *regs, u32 error_code, unsigned long address)
{
    pagefault_out_of_memory();
    if (!user_mode(regs) && fatal_signal_pending(current))
        no_context(regs, error_code, address);
}

static bool access_allowed(const struct vm_area_struct *vma, u32 error_code)
{
    if (error_code & X86_PF_WRITE)
        return vma->vm_flags & VM_WRITE;
    /* The CPU tells fetches apart only where it has NX. */
    if ((error_code & X86_PF_INSTR) && !(vma->vm_flags & VM_EXEC))
        return false;
    /*
     * Two-level tables cannot forbid reading: a read of a page that is there must have been of the
     * kernel's.
     */
    if (error_code & X86_PF_PROT)
        return false;
    return vma->vm_flags & (VM_READ | VM_WRITE | VM_EXEC);
}

/* The area for an access to address, with a stack grown to reach it; NULL if there is none. */
static struct vm_area_struct *find_good_area(const struct pt_regs *regs, unsigned long address)
{
    if (address >= TASK_SIZE || current->mm == NULL)
        return NULL;
    struct vm_area_struct *vma = find_vma(current->mm, address);
    if (vma == NULL || vma->vm_start <= address)
        return vma;
    if (!(vma->vm_flags & VM_GROWSDOWN))
        return NULL;
    if (user_mode(regs) && address + STACK_SLACK_BYTES < regs->sp)
        return NULL;
    return expand_stack(vma, address) ? NULL : vma;
}

void do_page_fault(struct pt_regs *regs, u32 error_code)
{
    /* Before interrupts are on: a fault in a handler would change it. */
    unsigned long address = read_cr2();
    if (address >= VMALLOC_START && !(error_code & (X86_PF_PROT | X86_PF_USER)) && vmalloc_fault(address))
        return;
    if (pagefault_depth && !user_mode(regs)) {
        no_context(regs, error_code, address);
        return;
    }
    if (regs->flags & X86_EFLAGS_IF)
        local_irq_enable();

    struct vm_area_struct *vma = find_good_area(regs, address);
    if (vma == NULL || !access_allowed(vma, error_code)) {
        bad_area(regs, error_code, address, vma ? SEGV_ACCERR : SEGV_MAPERR);
        return;
    }
    u32 result = handle_mm_fault(vma, address, (error_code & X86_PF_WRITE) ? FAULT_FLAG_WRITE : 0);
    if (result & VM_FAULT_MAJOR)
        current->maj_flt++;
    else if (!(result & (VM_FAULT_ERROR | VM_FAULT_RETRY)))
        current->min_flt++;
    if (result & VM_FAULT_OOM)
        no_memory(regs, error_code, address);
    else if (result & VM_FAULT_SIGBUS)
        do_sigbus(regs, error_code, address);
}
