/* Sockets of AF_UNIX (unix(7)): what their files share. No interrupt ever touches them. */
#pragma once

#include "path.h"
#include "sock.h"

#define UNIX_PATH_MAX 108u

struct sockaddr_un {
    u16 sun_family;
    char sun_path[UNIX_PATH_MAX];
};

/* sk comes first: it is freed as one with it. */
struct unix_sock {
    struct sock sk;
    struct unix_sock *peer; /* with a reference; NULL: not connected, or gone */
    u32 type;               /* SOCK_ */
    bool is_bound, is_listening;
    u32 backlog, nr_pending;
    struct list_head
        pending; /* of a listener: connected sockets that wait for accept(), through pending_node */
    struct list_head pending_node;
    /* Its name: bytes of an address behind the family; name_len 0: none. */
    char name[UNIX_PATH_MAX + 1];
    u32 name_len;
    struct path path; /* a name in a file system; else dentry is NULL */
};

static inline struct unix_sock *unix_sk(const struct socket *sock)
{
    return container_of(sock->sk, struct unix_sock, sk);
}

/* All of them, through sk.node. */
extern struct list_head unix_socks;

/* names.c */
int unix_bind(struct socket *sock, const void *address, u32 len);
/* The socket of that name and type, without a reference, or ERR_PTR. */
struct unix_sock *unix_find(const void *address, u32 len, u32 type);
int unix_getname(struct socket *sock, void *address, bool wants_peer);
/* Its name goes to an address; the address's length. */
u32 unix_put_name(const struct unix_sock *u, void *address);
void unix_drop_name(struct unix_sock *u);
