/* Names of sockets: files, or, with a zero in front, bytes that only sockets know. */
#include "err.h"
#include "fcntl.h"
#include "namei.h"
#include "net_protocols.h"
#include "seq_file.h"
#include "string.h"
#include "uaccess.h"
#include "unix.h"

/* What is behind the family: 0, or an error. A path gets a zero behind it. */
static int get_name(char name[UNIX_PATH_MAX + 1], const void *address, u32 len, u32 *name_len)
{
    const struct sockaddr_un *sun = address;
    if (len < sizeof(sun->sun_family) || len > sizeof(*sun) || sun->sun_family != AF_UNIX)
        return -EINVAL;
    u32 bytes = len - (u32)sizeof(sun->sun_family);
    memcpy(name, sun->sun_path, bytes);
    name[bytes] = '\0';
    *name_len = bytes && name[0] ? (u32)strlen(name) + 1 : bytes;
    return 0;
}

static struct unix_sock *find_abstract(const char *name, u32 name_len)
{
    struct sock *sk;
    list_for_each_entry(sk, &unix_socks, node)
    {
        struct unix_sock *u = container_of(sk, struct unix_sock, sk);
        if (u->is_bound && u->name_len == name_len && memcmp(u->name, name, name_len) == 0)
            return u;
    }
    return NULL;
}

static struct unix_sock *find_inode(const struct inode *inode)
{
    struct sock *sk;
    list_for_each_entry(sk, &unix_socks, node)
    {
        struct unix_sock *u = container_of(sk, struct unix_sock, sk);
        if (u->path.dentry && u->path.dentry->d_inode == inode)
            return u;
    }
    return NULL;
}

/* Five hexadecimal digits, as Linux: the first that nobody has. */
static int autobind(struct unix_sock *u)
{
    static u32 next;
    do {
        next = (next + 1) & 0xFFFFF;
        snprintf(u->name + 1, sizeof(u->name) - 1, "%05x", next);
        u->name[0] = '\0';
    } while (find_abstract(u->name, 6));
    u->name_len = 6;
    u->is_bound = true;
    return 0;
}

static int bind_file(struct unix_sock *u, const char *name)
{
    int error = kern_mknod(name, S_IFSOCK | S_IRWXUGO);
    if (error)
        return error == -EEXIST ? -EADDRINUSE : error;
    return kern_path(name, 0, &u->path);
}

int unix_bind(struct socket *sock, const void *address, u32 len)
{
    struct unix_sock *u = unix_sk(sock);
    char name[UNIX_PATH_MAX + 1];
    u32 name_len;
    int error = get_name(name, address, len, &name_len);
    if (error == 0 && u->name_len)
        error = -EINVAL;
    if (error)
        return error;
    if (name_len == 0)
        return autobind(u);
    if (name[0])
        error = bind_file(u, name);
    else if (find_abstract(name, name_len))
        error = -EADDRINUSE;
    if (error == 0) {
        memcpy(u->name, name, name_len);
        u->name_len = name_len;
        u->is_bound = true;
    }
    return error;
}

static struct unix_sock *find_file(const char *name)
{
    struct path path;
    int error = kern_path(name, LOOKUP_FOLLOW, &path);
    if (error)
        return ERR_PTR(error);
    struct inode *inode = path.dentry->d_inode;
    error = inode_permission(inode, MAY_WRITE);
    struct unix_sock *u = error == 0 && S_ISSOCK(inode->i_mode) ? find_inode(inode) : NULL;
    path_put(&path);
    return u ? u : ERR_PTR(error ? error : -ECONNREFUSED);
}

struct unix_sock *unix_find(const void *address, u32 len, u32 type)
{
    char name[UNIX_PATH_MAX + 1];
    u32 name_len;
    int error = get_name(name, address, len, &name_len);
    if (error || name_len == 0)
        return ERR_PTR(error ? error : -EINVAL);
    struct unix_sock *u = name[0] ? find_file(name) : find_abstract(name, name_len);
    if (u == NULL)
        return ERR_PTR(-ECONNREFUSED);
    return IS_ERR(u) || u->type == type ? u : ERR_PTR(-EPROTOTYPE);
}

u32 unix_put_name(const struct unix_sock *u, void *address)
{
    struct sockaddr_un *sun = address;
    sun->sun_family = AF_UNIX;
    memcpy(sun->sun_path, u->name, u->name_len);
    return (u32)sizeof(sun->sun_family) + u->name_len;
}

int unix_getname(struct socket *sock, void *address, bool wants_peer)
{
    const struct unix_sock *u = unix_sk(sock);
    if (wants_peer && u->peer == NULL)
        return -ENOTCONN;
    return (int)unix_put_name(wants_peer ? u->peer : u, address);
}

void unix_drop_name(struct unix_sock *u)
{
    if (u->path.dentry)
        path_put(&u->path);
    u->path = (struct path){.dentry = NULL};
}

static void show(struct seq_file *m, const struct unix_sock *u)
{
    const struct socket *sock = u->sk.socket;
    u32 state = u->peer ? 3 : 1;
    seq_printf(m, "00000000: %08X 00000000 %08X %04X %02X %5lu", u->sk.refs, u->is_listening ? 0x10000u : 0u,
               sock->type, state, sock->file ? file_inode(sock->file)->i_ino : 0);
    if (u->name_len)
        seq_printf(m, " %s%s", u->name[0] ? "" : "@", u->name[0] ? u->name : u->name + 1);
    seq_printf(m, "\n");
}

void unix_show(struct seq_file *m)
{
    struct sock *sk;
    seq_printf(m, "Num       RefCount Protocol Flags    Type St Inode Path\n");
    list_for_each_entry(sk, &unix_socks, node)
    {
        if (sk->socket)
            show(m, container_of(sk, struct unix_sock, sk));
    }
}
