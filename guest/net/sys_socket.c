/* The system calls about sockets: from registers, or socketcall(2)'s words, to arguments. */
#include "asm/ptrace.h"
#include "asm/uaccess.h"
#include "compiler.h"
#include "net.h"
#include "sys_fs.h"
#include "uio.h"

long sys_socket(const struct pt_regs *regs)
{
    return do_socket(regs->bx, regs->cx, regs->dx);
}

long sys_socketpair(const struct pt_regs *regs)
{
    return do_socketpair(regs->bx, regs->cx, regs->dx, user_ptr(regs->si));
}

long sys_bind(const struct pt_regs *regs)
{
    return do_bind(regs->bx, user_ptr(regs->cx), regs->dx);
}

long sys_connect(const struct pt_regs *regs)
{
    return do_connect(regs->bx, user_ptr(regs->cx), regs->dx);
}

long sys_listen(const struct pt_regs *regs)
{
    return do_listen(regs->bx, regs->cx);
}

long sys_accept4(const struct pt_regs *regs)
{
    return do_accept4(regs->bx, user_ptr(regs->cx), user_ptr(regs->dx), regs->si);
}

long sys_getsockopt(const struct pt_regs *regs)
{
    return do_getsockopt(regs->bx, regs->cx, regs->dx, user_ptr(regs->si), user_ptr(regs->di));
}

long sys_setsockopt(const struct pt_regs *regs)
{
    return do_setsockopt(regs->bx, regs->cx, regs->dx, user_ptr(regs->si), regs->di);
}

long sys_getsockname(const struct pt_regs *regs)
{
    return do_getname(regs->bx, user_ptr(regs->cx), user_ptr(regs->dx), false);
}

long sys_getpeername(const struct pt_regs *regs)
{
    return do_getname(regs->bx, user_ptr(regs->cx), user_ptr(regs->dx), true);
}

long sys_sendto(const struct pt_regs *regs)
{
    return do_sendto(regs->bx, regs->cx, regs->dx, regs->si, user_ptr(regs->di), regs->bp);
}

long sys_sendmsg(const struct pt_regs *regs)
{
    return do_sendmsg(regs->bx, user_ptr(regs->cx), regs->dx);
}

long sys_recvfrom(const struct pt_regs *regs)
{
    return do_recvfrom(regs->bx, regs->cx, regs->dx, regs->si, user_ptr(regs->di), user_ptr(regs->bp));
}

long sys_recvmsg(const struct pt_regs *regs)
{
    return do_recvmsg(regs->bx, user_ptr(regs->cx), regs->dx);
}

long sys_shutdown(const struct pt_regs *regs)
{
    return do_shutdown(regs->bx, regs->cx);
}

static long call(u32 number, const u32 a[6])
{
    switch (number) {
    case SYS_SOCKET:
        return do_socket(a[0], a[1], a[2]);
    case SYS_BIND:
        return do_bind(a[0], user_ptr(a[1]), a[2]);
    case SYS_CONNECT:
        return do_connect(a[0], user_ptr(a[1]), a[2]);
    case SYS_LISTEN:
        return do_listen(a[0], a[1]);
    case SYS_ACCEPT:
        return do_accept4(a[0], user_ptr(a[1]), user_ptr(a[2]), 0);
    case SYS_GETSOCKNAME:
    case SYS_GETPEERNAME:
        return do_getname(a[0], user_ptr(a[1]), user_ptr(a[2]), number == SYS_GETPEERNAME);
    case SYS_SOCKETPAIR:
        return do_socketpair(a[0], a[1], a[2], user_ptr(a[3]));
    case SYS_SEND:
        return do_sendto(a[0], a[1], a[2], a[3], NULL, 0);
    case SYS_RECV:
        return do_recvfrom(a[0], a[1], a[2], a[3], NULL, NULL);
    case SYS_SENDTO:
        return do_sendto(a[0], a[1], a[2], a[3], user_ptr(a[4]), a[5]);
    case SYS_RECVFROM:
        return do_recvfrom(a[0], a[1], a[2], a[3], user_ptr(a[4]), user_ptr(a[5]));
    case SYS_SHUTDOWN:
        return do_shutdown(a[0], a[1]);
    case SYS_SETSOCKOPT:
        return do_setsockopt(a[0], a[1], a[2], user_ptr(a[3]), a[4]);
    case SYS_GETSOCKOPT:
        return do_getsockopt(a[0], a[1], a[2], user_ptr(a[3]), user_ptr(a[4]));
    case SYS_SENDMSG:
        return do_sendmsg(a[0], user_ptr(a[1]), a[2]);
    case SYS_RECVMSG:
        return do_recvmsg(a[0], user_ptr(a[1]), a[2]);
    case SYS_ACCEPT4:
        return do_accept4(a[0], user_ptr(a[1]), user_ptr(a[2]), a[3]);
    default:
        return -EINVAL;
    }
}

long sys_socketcall(const struct pt_regs *regs)
{
    static const u8 nr_words[] = {0, 3, 3, 3, 2, 3, 3, 3, 4, 4, 4, 6, 6, 2, 5, 5, 3, 3, 4};
    u32 number = regs->bx, words[6] = {0};
    if (number == 0 || number >= ARRAY_SIZE(nr_words))
        return -EINVAL;
    if (copy_from_user(words, user_ptr(regs->cx), nr_words[number] * sizeof(words[0])))
        return -EFAULT;
    return call(number, words);
}
