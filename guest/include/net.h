/* Sockets: files behind which a protocol stands. */
#pragma once

#include "fs.h"
#include "socket.h"
#include "uio.h"
#include "wait.h"

struct poll_table;
struct sock;
struct socket;

/* One send or receive, with everything but the bytes in the kernel's memory. */
struct msghdr {
    u8 msg_name[SOCKADDR_MOST]; /* to whom, or from whom */
    u32 msg_namelen;            /* 0: none */
    struct iov_iter msg_iter;
    u32 msg_flags; /* MSG_ */
};

/* Lengths of addresses are those that the caller gave; they are at most SOCKADDR_MOST. */
struct proto_ops {
    u32 family;
    int (*release)(struct socket *sock);
    int (*bind)(struct socket *sock, const void *address, u32 len);
    int (*connect)(struct socket *sock, const void *address, u32 len);
    int (*socketpair)(struct socket *sock, struct socket *other);
    int (*listen)(struct socket *sock, u32 backlog);
    /* Gives new_sock, which has neither sk nor peer yet, the next connection. */
    int (*accept)(struct socket *sock, struct socket *new_sock, bool may_wait);
    /* The address's length, or an error; wants_peer: of the other end. */
    int (*getname)(struct socket *sock, void *address, bool wants_peer);
    u32 (*poll)(struct file *file, struct socket *sock, struct poll_table *table);
    long (*ioctl)(struct socket *sock, u32 command, unsigned long arg);
    int (*shutdown)(struct socket *sock, u32 how);
    /* Options that are not of SOL_SOCKET; getsockopt gives words only. */
    int (*setsockopt)(struct socket *sock, u32 level, u32 option, u32 value);
    int (*getsockopt)(struct socket *sock, u32 level, u32 option, u32 *value);
    /* Bytes, or an error. Without MSG_DONTWAIT they may sleep. */
    ssize_t (*sendmsg)(struct socket *sock, struct msghdr *msg);
    ssize_t (*recvmsg)(struct socket *sock, struct msghdr *msg);
    /* Sends a piece of a page, as it is when it goes. NULL: only copies can be sent. */
    ssize_t (*sendpage)(struct socket *sock, struct page *page, u32 offset, u32 bytes, u32 flags);
};

struct socket {
    u32 type; /* SOCK_ */
    const struct proto_ops *ops;
    struct sock *sk;
    struct file *file;
};

struct net_proto_family {
    u32 family;
    /* Gives a socket, whose type is set, its ops and sk. 0 or an error. */
    int (*create)(struct socket *sock, u32 protocol);
    struct net_proto_family *next;
};

/* net/socket.c */
void sock_register(struct net_proto_family *family);
void sockfs_init(void);
int sockfs_start(void);
void sockfs_end(void);
/* The socket behind a file, or NULL: it is none. */
struct socket *sock_from_file(const struct file *file);

/* What the system calls do; as fs_calls.h. */
long do_socket(u32 family, u32 type, u32 protocol);
long do_socketpair(u32 family, u32 type, u32 protocol, u32 __user *fds);
long do_bind(u32 fd, const void __user *address, u32 len);
long do_connect(u32 fd, const void __user *address, u32 len);
long do_listen(u32 fd, u32 backlog);
long do_accept4(u32 fd, void __user *address, u32 __user *len, u32 flags);
long do_getname(u32 fd, void __user *address, u32 __user *len, bool wants_peer);
long do_sendto(u32 fd, u32 buf, u32 bytes, u32 flags, const void __user *address, u32 len);
long do_recvfrom(u32 fd, u32 buf, u32 bytes, u32 flags, void __user *address, u32 __user *len);
long do_sendmsg(u32 fd, const void __user *user_msg, u32 flags);
long do_recvmsg(u32 fd, void __user *user_msg, u32 flags);
long do_shutdown(u32 fd, u32 how);
long do_setsockopt(u32 fd, u32 level, u32 option, const void __user *value, u32 len);
long do_getsockopt(u32 fd, u32 level, u32 option, void __user *value, u32 __user *len);
