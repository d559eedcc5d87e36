/* Error numbers of Linux on i386, as far as they are used here. System calls return them negated. */
#pragma once

#define ENOENT 2
#define EINTR 4
#define E2BIG 7
#define ENOEXEC 8
#define EBADF 9
#define ENOMEM 12
#define EFAULT 14
#define EINVAL 22
#define ENOSYS 38
