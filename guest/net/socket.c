/* Sockets as files, and the calls that only sockets have. */
#include "err.h"
#include "fdtable.h"
#include "highmem.h"
#include "ioctls.h"
#include "libfs.h"
#include "mount.h"
#include "net.h"
#include "poll.h"
#include "printk.h"
#include "sched.h"
#include "slab.h"
#include "sock.h"
#include "string.h"
#include "uaccess.h"
#include "uio.h"

static struct vfsmount *sock_mnt;
static struct net_proto_family *families;

void __init sock_register(struct net_proto_family *family)
{
    family->next = families;
    families = family;
}

/* ---- The file ---- */

static const struct file_operations socket_file_ops;

struct socket *sock_from_file(const struct file *file)
{
    return file->f_op == &socket_file_ops ? file->private_data : NULL;
}

static ssize_t send_message(struct socket *sock, struct msghdr *msg)
{
    if (sock->file->f_flags & O_NONBLOCK)
        msg->msg_flags |= MSG_DONTWAIT;
    ssize_t done = sock->ops->sendmsg(sock, msg);
    if (done == -EPIPE && !(msg->msg_flags & MSG_NOSIGNAL) && sock->type == SOCK_STREAM)
        do_kill((s32)current->pid, SIGPIPE);
    return done;
}

static ssize_t receive_message(struct socket *sock, struct msghdr *msg)
{
    if (sock->file->f_flags & O_NONBLOCK)
        msg->msg_flags |= MSG_DONTWAIT;
    return sock->ops->recvmsg(sock, msg);
}

static ssize_t sock_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
    struct user_iovec piece;
    struct msghdr msg = {.msg_flags = 0};
    (void)pos;
    iov_iter_single(&msg.msg_iter, &piece, (u32)(uintptr_t)buf, (u32)count);
    return receive_message(file->private_data, &msg);
}

static ssize_t sock_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
    struct user_iovec piece;
    struct msghdr msg = {.msg_flags = 0};
    (void)pos;
    iov_iter_single(&msg.msg_iter, &piece, (u32)(uintptr_t)buf, (u32)count);
    return send_message(file->private_data, &msg);
}

/* A protocol that sends only copies gets one. */
static ssize_t send_copy(struct socket *sock, struct page *page, u32 offset, u32 bytes, u32 flags)
{
    struct user_iovec piece;
    struct msghdr msg = {.msg_flags = flags};
    u8 *at = kmap(page);
    if (at == NULL)
        return -ENOMEM;
    bool before = set_fs_kernel(true);
    iov_iter_single(&msg.msg_iter, &piece, (u32)(uintptr_t)at + offset, bytes);
    ssize_t done = send_message(sock, &msg);
    set_fs_kernel(before);
    kunmap(page);
    return done;
}

static ssize_t sock_sendpage(struct file *file, struct page *page, u32 offset, u32 bytes, bool has_more)
{
    struct socket *sock = file->private_data;
    u32 flags = (has_more ? MSG_MORE : 0) | ((file->f_flags & O_NONBLOCK) ? MSG_DONTWAIT : 0);
    if (sock->ops->sendpage == NULL)
        return send_copy(sock, page, offset, bytes, flags);
    return sock->ops->sendpage(sock, page, offset, bytes, flags);
}

static u32 sock_poll(struct file *file, struct poll_table *table)
{
    struct socket *sock = file->private_data;
    return sock->ops->poll(file, sock, table);
}

static long sock_ioctl(struct file *file, u32 command, unsigned long arg)
{
    struct socket *sock = file->private_data;
    long result = sock->ops->ioctl ? sock->ops->ioctl(sock, command, arg) : -ENOTTY;
    return result == -ENOTTY ? dev_ioctl(command, arg) : result;
}

static int sock_release(struct inode *inode, struct file *file)
{
    struct socket *sock = file->private_data;
    (void)inode;
    if (sock->ops)
        sock->ops->release(sock);
    kfree(sock);
    return 0;
}

static const struct file_operations socket_file_ops = {.release = sock_release,
                                                       .llseek = no_llseek,
                                                       .read = sock_read,
                                                       .write = sock_write,
                                                       .sendpage = sock_sendpage,
                                                       .poll = sock_poll,
                                                       .unlocked_ioctl = sock_ioctl};

/* ---- How they begin ---- */

static struct inode *get_socket_inode(void)
{
    struct inode *inode = new_inode(sock_mnt->mnt_sb);
    if (inode == NULL)
        return NULL;
    inode->i_ino = get_next_ino();
    inode_init_owner(inode, NULL, S_IFSOCK | 0777);
    inode->i_atime = inode->i_mtime = inode->i_ctime = current_time();
    inode->i_fop = &no_open_fops;
    return inode;
}

static struct dentry *get_socket_dentry(void)
{
    struct inode *inode = get_socket_inode();
    char text[24];
    if (inode == NULL)
        return NULL;
    const struct qstr name = {.name = text,
                              .len = (u32)snprintf(text, sizeof(text), "socket:[%lu]", inode->i_ino)};
    struct dentry *dentry = d_alloc_pseudo(inode->i_sb, &name);
    if (dentry)
        d_instantiate(dentry, inode);
    else
        iput(inode);
    return dentry;
}

/* A file with a socket that no protocol has been chosen for; or an error. */
static struct file *new_socket_file(u32 type, u32 flags)
{
    struct socket *sock = kzalloc(sizeof(*sock), GFP_KERNEL);
    struct path path = {.mnt = sock_mnt, .dentry = sock ? get_socket_dentry() : NULL};
    struct file *file =
        path.dentry ? alloc_file(&path, FMODE_READ | FMODE_WRITE, &socket_file_ops) : ERR_PTR(-ENFILE);
    if (path.dentry)
        dput(path.dentry);
    if (IS_ERR(file)) {
        kfree(sock);
        return file;
    }
    sock->type = type;
    sock->file = file;
    file->private_data = sock;
    file->f_flags = O_RDWR | ((flags & SOCK_NONBLOCK) ? O_NONBLOCK : 0);
    return file;
}

static struct file *create_socket(u32 family_number, u32 type, u32 protocol)
{
    struct net_proto_family *family = families;
    while (family && family->family != family_number)
        family = family->next;
    if (family == NULL)
        return ERR_PTR(-EAFNOSUPPORT);
    struct file *file = new_socket_file(type & SOCK_TYPE_MASK, type);
    if (IS_ERR(file))
        return file;
    int error = family->create(file->private_data, protocol);
    if (error == 0)
        return file;
    fput(file);
    return ERR_PTR(error);
}

static u32 cloexec_of(u32 type)
{
    return (type & SOCK_CLOEXEC) ? O_CLOEXEC : 0;
}

/* A number for the file; takes over the reference. */
static long install_file(struct file *file, u32 type)
{
    int fd = get_unused_fd_flags(cloexec_of(type));
    if (fd < 0)
        fput(file);
    else
        fd_install((u32)fd, file);
    return fd;
}

long do_socket(u32 family, u32 type, u32 protocol)
{
    if (type & ~(SOCK_TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC))
        return -EINVAL;
    struct file *file = create_socket(family, type, protocol);
    return IS_ERR(file) ? PTR_ERR(file) : install_file(file, type);
}

static int connect_pair(struct file *const files[2])
{
    struct socket *sock = files[0]->private_data;
    return sock->ops->socketpair ? sock->ops->socketpair(sock, files[1]->private_data) : -EOPNOTSUPP;
}

/* Two numbers, which the user is told; 0 or an error. */
static int get_two_fds(int fds[2], u32 type, u32 __user *user_fds)
{
    fds[0] = get_unused_fd_flags(cloexec_of(type));
    fds[1] = fds[0] < 0 ? fds[0] : get_unused_fd_flags(cloexec_of(type));
    int error = fds[1] < 0 ? fds[1] : copy_to_user(user_fds, fds, 2 * sizeof(fds[0])) ? -EFAULT : 0;
    for (u32 i = 0; error && i < 2; i++)
        if (fds[i] >= 0)
            put_unused_fd((u32)fds[i]);
    return error;
}

long do_socketpair(u32 family, u32 type, u32 protocol, u32 __user *user_fds)
{
    struct file *files[2];
    int fds[2];
    if (type & ~(SOCK_TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC))
        return -EINVAL;
    files[0] = create_socket(family, type, protocol);
    if (IS_ERR(files[0]))
        return PTR_ERR(files[0]);
    files[1] = create_socket(family, type, protocol);
    long error = IS_ERR(files[1]) ? PTR_ERR(files[1]) : connect_pair(files);
    if (error == 0)
        error = get_two_fds(fds, type, user_fds);
    for (u32 i = 0; i < 2; i++) {
        if (error == 0)
            fd_install((u32)fds[i], files[i]);
        else if (!IS_ERR(files[i]))
            fput(files[i]);
    }
    return error;
}

/* ---- Calls ---- */

/* The file of a socket, with a reference, or an error. */
static struct file *fget_socket(u32 fd)
{
    struct file *file = fget(fd);
    if (file == NULL)
        return ERR_PTR(-EBADF);
    if (sock_from_file(file))
        return file;
    fput(file);
    return ERR_PTR(-ENOTSOCK);
}

static int get_address(u8 to[SOCKADDR_MOST], const void __user *address, u32 len)
{
    if (len > SOCKADDR_MOST)
        return -EINVAL;
    memset(to, 0, SOCKADDR_MOST);
    return copy_from_user(to, address, len) ? -EFAULT : 0;
}

/* As much as there is room for; the length that it has goes to *user_len. */
static int put_address(const void *from, u32 bytes, void __user *address, u32 __user *user_len)
{
    u32 room;
    if (get_user_u32(&room, user_len))
        return -EFAULT;
    if ((s32)room < 0)
        return -EINVAL;
    if (copy_to_user(address, from, min(room, bytes)))
        return -EFAULT;
    return put_user_u32(bytes, user_len);
}

typedef int (*address_call_t)(struct socket *sock, const void *address, u32 len);

static long call_with_address(u32 fd, const void __user *user_address, u32 len, bool is_bind)
{
    u8 address[SOCKADDR_MOST];
    struct file *file = fget_socket(fd);
    if (IS_ERR(file))
        return PTR_ERR(file);
    struct socket *sock = file->private_data;
    long result = get_address(address, user_address, len);
    if (result == 0)
        result = (is_bind ? sock->ops->bind : sock->ops->connect)(sock, address, len);
    fput(file);
    return result;
}

long do_bind(u32 fd, const void __user *address, u32 len)
{
    return call_with_address(fd, address, len, true);
}

long do_connect(u32 fd, const void __user *address, u32 len)
{
    return call_with_address(fd, address, len, false);
}

long do_listen(u32 fd, u32 backlog)
{
    struct file *file = fget_socket(fd);
    if (IS_ERR(file))
        return PTR_ERR(file);
    struct socket *sock = file->private_data;
    long result = sock->ops->listen ? sock->ops->listen(sock, backlog) : -EOPNOTSUPP;
    fput(file);
    return result;
}

static long accept_from(struct socket *sock, void __user *address, u32 __user *len, u32 flags)
{
    u8 peer[SOCKADDR_MOST];
    if (sock->ops->accept == NULL)
        return -EOPNOTSUPP;
    struct file *file = new_socket_file(sock->type, flags);
    if (IS_ERR(file))
        return PTR_ERR(file);
    struct socket *new_sock = file->private_data;
    long error = sock->ops->accept(sock, new_sock, !(sock->file->f_flags & O_NONBLOCK));
    if (error == 0)
        new_sock->ops = sock->ops;
    if (error == 0 && address) {
        int bytes = new_sock->ops->getname(new_sock, peer, true);
        error = bytes < 0 ? bytes : put_address(peer, (u32)bytes, address, len);
    }
    if (error == 0)
        return install_file(file, flags);
    fput(file);
    return error;
}

long do_accept4(u32 fd, void __user *address, u32 __user *len, u32 flags)
{
    if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
        return -EINVAL;
    struct file *file = fget_socket(fd);
    if (IS_ERR(file))
        return PTR_ERR(file);
    long result = accept_from(file->private_data, address, len, flags);
    fput(file);
    return result;
}

long do_getname(u32 fd, void __user *user_address, u32 __user *len, bool wants_peer)
{
    u8 address[SOCKADDR_MOST];
    struct file *file = fget_socket(fd);
    if (IS_ERR(file))
        return PTR_ERR(file);
    struct socket *sock = file->private_data;
    int bytes = sock->ops->getname(sock, address, wants_peer);
    fput(file);
    return bytes < 0 ? bytes : put_address(address, (u32)bytes, user_address, len);
}

long do_shutdown(u32 fd, u32 how)
{
    if (how > SHUT_RDWR)
        return -EINVAL;
    struct file *file = fget_socket(fd);
    if (IS_ERR(file))
        return PTR_ERR(file);
    struct socket *sock = file->private_data;
    long result = sock->ops->shutdown(sock, how);
    fput(file);
    return result;
}

/* ---- Messages ---- */

long do_sendto(u32 fd, u32 buf, u32 bytes, u32 flags, const void __user *address, u32 len)
{
    struct user_iovec piece;
    struct msghdr msg = {.msg_flags = flags};
    struct file *file = fget_socket(fd);
    if (IS_ERR(file))
        return PTR_ERR(file);
    long result = address ? get_address(msg.msg_name, address, len) : 0;
    msg.msg_namelen = address ? len : 0;
    iov_iter_single(&msg.msg_iter, &piece, buf, min(bytes, 0x7FFFF000u));
    if (result == 0)
        result = send_message(file->private_data, &msg);
    fput(file);
    return result;
}

long do_recvfrom(u32 fd, u32 buf, u32 bytes, u32 flags, void __user *address, u32 __user *len)
{
    struct user_iovec piece;
    struct msghdr msg = {.msg_flags = flags};
    struct file *file = fget_socket(fd);
    if (IS_ERR(file))
        return PTR_ERR(file);
    iov_iter_single(&msg.msg_iter, &piece, buf, min(bytes, 0x7FFFF000u));
    long result = receive_message(file->private_data, &msg);
    if (result >= 0 && address) {
        int error = put_address(msg.msg_name, msg.msg_namelen, address, len);
        result = error ? error : result;
    }
    fput(file);
    return result;
}

/* The pieces that user->msg_iov names; a list that kfree() takes, or an error. */
static struct user_iovec *get_pieces(const struct user_msghdr *user, struct iov_iter *iter)
{
    if (user->msg_iovlen > UIO_MAXIOV)
        return ERR_PTR(-EMSGSIZE);
    u32 bytes = user->msg_iovlen * (u32)sizeof(struct user_iovec);
    struct user_iovec *vec = kmalloc(max(bytes, 1u), GFP_KERNEL);
    if (vec == NULL)
        return ERR_PTR(-ENOMEM);
    long error = copy_from_user(vec, user_ptr(user->msg_iov), bytes) ? -EFAULT : 0;
    *iter = (struct iov_iter){.iov = vec};
    for (u32 i = 0; error == 0 && i < user->msg_iovlen; i++) {
        if (vec[i].bytes > 0x7FFFF000u - iter->count)
            error = -EINVAL;
        iter->count += vec[i].bytes;
    }
    if (error == 0)
        return vec;
    kfree(vec);
    return ERR_PTR(error);
}

static long sendmsg_with(struct socket *sock, const struct user_msghdr *user, u32 flags)
{
    struct msghdr msg = {.msg_flags = flags};
    msg.msg_namelen = user->msg_name ? user->msg_namelen : 0;
    int error = msg.msg_namelen ? get_address(msg.msg_name, user_ptr(user->msg_name), msg.msg_namelen) : 0;
    if (error)
        return error;
    struct user_iovec *vec = get_pieces(user, &msg.msg_iter);
    if (IS_ERR(vec))
        return PTR_ERR(vec);
    long result = send_message(sock, &msg);
    kfree(vec);
    return result;
}

long do_sendmsg(u32 fd, const void __user *user_msg, u32 flags)
{
    struct user_msghdr user;
    struct file *file = fget_socket(fd);
    if (IS_ERR(file))
        return PTR_ERR(file);
    long result = copy_from_user(&user, user_msg, sizeof(user)) ? -EFAULT : 0;
    if (result == 0)
        result = sendmsg_with(file->private_data, &user, flags);
    fput(file);
    return result;
}

static long recvmsg_with(struct socket *sock, struct user_msghdr *user, u32 flags)
{
    struct msghdr msg = {.msg_flags = flags};
    struct user_iovec *vec = get_pieces(user, &msg.msg_iter);
    if (IS_ERR(vec))
        return PTR_ERR(vec);
    long result = receive_message(sock, &msg);
    kfree(vec);
    if (result < 0)
        return result;
    if (user->msg_name &&
        copy_to_user(user_ptr(user->msg_name), msg.msg_name, min(user->msg_namelen, msg.msg_namelen)))
        return -EFAULT;
    user->msg_namelen = user->msg_name ? msg.msg_namelen : 0;
    user->msg_controllen = 0;
    user->msg_flags = msg.msg_flags & MSG_TRUNC;
    return result;
}

long do_recvmsg(u32 fd, void __user *user_msg, u32 flags)
{
    struct user_msghdr user;
    struct file *file = fget_socket(fd);
    if (IS_ERR(file))
        return PTR_ERR(file);
    long result = copy_from_user(&user, user_msg, sizeof(user)) ? -EFAULT : 0;
    if (result == 0)
        result = recvmsg_with(file->private_data, &user, flags);
    fput(file);
    if (result >= 0 && copy_to_user(user_msg, &user, sizeof(user)))
        return -EFAULT;
    return result;
}

/* ---- Options ---- */

/* The name of a device, or nothing: any. */
static int bind_to_device(struct sock *sk, const void __user *value, u32 len)
{
    char name[IFNAMSIZ] = "";
    if (copy_from_user(name, value, min(len, IFNAMSIZ - 1)))
        return -EFAULT;
    const struct net_device *dev = dev_get_by_name(name);
    if (name[0] && dev == NULL)
        return -ENODEV;
    sk->bound_dev_if = name[0] ? dev->ifindex : 0;
    return 0;
}

static long setsockopt(struct socket *sock, u32 level, u32 option, const void __user *value, u32 len)
{
    u32 words[2] = {0, 0}, nr = min(len / 4, 2u);
    if (level == SOL_SOCKET && option == SO_BINDTODEVICE)
        return bind_to_device(sock->sk, value, len);
    if (copy_from_user(words, value, nr ? nr * 4 : min(len, 1u)))
        return -EFAULT;
    if (level == SOL_SOCKET)
        return sock_setsockopt(sock->sk, option, words, nr);
    if (len == 0)
        return -EINVAL;
    return sock->ops->setsockopt ? sock->ops->setsockopt(sock, level, option, words[0]) : -ENOPROTOOPT;
}

long do_setsockopt(u32 fd, u32 level, u32 option, const void __user *value, u32 len)
{
    if ((s32)len < 0)
        return -EINVAL;
    struct file *file = fget_socket(fd);
    if (IS_ERR(file))
        return PTR_ERR(file);
    long result = setsockopt(file->private_data, level, option, value, len);
    fput(file);
    return result;
}

long do_getsockopt(u32 fd, u32 level, u32 option, void __user *value, u32 __user *len)
{
    u32 words[2];
    struct file *file = fget_socket(fd);
    if (IS_ERR(file))
        return PTR_ERR(file);
    struct socket *sock = file->private_data;
    int nr;
    if (level == SOL_SOCKET) {
        nr = sock_getsockopt(sock->sk, option, words);
    } else {
        nr = sock->ops->getsockopt ? sock->ops->getsockopt(sock, level, option, words) : -ENOPROTOOPT;
        nr = nr ? nr : 1;
    }
    fput(file);
    if (nr < 0)
        return nr;
    u32 room;
    if (get_user_u32(&room, len))
        return -EFAULT;
    if ((s32)room < 0)
        return -EINVAL;
    room = min(room, (u32)nr * 4);
    return copy_to_user(value, words, room) ? -EFAULT : put_user_u32(room, len);
}

/* ---- The file system that they are in ---- */

static struct file_system_type sockfs_type = {.name = "sockfs", .mount = mount_pseudo};

void __init sockfs_init(void)
{
    register_filesystem(&sockfs_type);
}

int sockfs_start(void)
{
    sock_mnt = kern_mount(&sockfs_type, 0, "sockfs", NULL);
    return IS_ERR(sock_mnt) ? (int)PTR_ERR(sock_mnt) : 0;
}

void sockfs_end(void)
{
    mntput(sock_mnt);
    sock_mnt = NULL;
}
