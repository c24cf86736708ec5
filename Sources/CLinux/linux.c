#define _GNU_SOURCE
#include "CLinux.h"
#include <fcntl.h>
#include <sys/socket.h>

int clinux_accept(int listening_fd) {
    return accept4(listening_fd, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int clinux_set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL, 0);
    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}
