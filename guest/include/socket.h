/* Sockets as programs see them: numbers and structures of socket(2), send(2), recv(2), socket(7), ip(7). */
#pragma once

#include "types.h"

#define AF_UNSPEC 0u
#define AF_UNIX 1u
#define AF_INET 2u

#define SOCK_STREAM 1u
#define SOCK_DGRAM 2u
#define SOCK_RAW 3u
#define SOCK_TYPE_MASK 0xFu
#define SOCK_NONBLOCK 0x800u
#define SOCK_CLOEXEC 0x80000u

#define SHUT_RD 0u
#define SHUT_WR 1u
#define SHUT_RDWR 2u

#define MSG_PEEK 0x2u
#define MSG_TRUNC 0x20u
#define MSG_DONTWAIT 0x40u
#define MSG_ERRQUEUE 0x2000u
#define MSG_NOSIGNAL 0x4000u
#define MSG_MORE 0x8000u

#define SOL_IP 0u
#define SOL_SOCKET 1u
#define SO_REUSEADDR 2u
#define SO_TYPE 3u
#define SO_ERROR 4u
#define SO_DONTROUTE 5u
#define SO_BROADCAST 6u
#define SO_SNDBUF 7u
#define SO_RCVBUF 8u
#define SO_KEEPALIVE 9u
#define SO_NO_CHECK 11u
#define SO_RCVTIMEO 20u
#define SO_SNDTIMEO 21u
#define SO_BINDTODEVICE 25u
#define SO_PROTOCOL 38u
#define SO_DOMAIN 39u
#define IP_TOS 1u
#define IP_TTL 2u

/* Numbers of socketcall(2). */
enum {
    SYS_SOCKET = 1,
    SYS_BIND,
    SYS_CONNECT,
    SYS_LISTEN,
    SYS_ACCEPT,
    SYS_GETSOCKNAME,
    SYS_GETPEERNAME,
    SYS_SOCKETPAIR,
    SYS_SEND,
    SYS_RECV,
    SYS_SENDTO,
    SYS_RECVFROM,
    SYS_SHUTDOWN,
    SYS_SETSOCKOPT,
    SYS_GETSOCKOPT,
    SYS_SENDMSG,
    SYS_RECVMSG,
    SYS_ACCEPT4,
};

struct sockaddr {
    u16 sa_family;
    char sa_data[14];
};

struct sockaddr_in {
    u16 sin_family;
    be16 sin_port;
    be32 sin_addr;
    u8 sin_zero[8];
};

#define SOCKADDR_MOST 128u /* the longest address of any family */

/* What sendmsg(2) and recvmsg(2) are given. */
struct user_msghdr {
    u32 msg_name, msg_namelen;
    u32 msg_iov, msg_iovlen;
    u32 msg_control, msg_controllen;
    u32 msg_flags;
};
