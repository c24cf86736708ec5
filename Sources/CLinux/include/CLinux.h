#pragma once
// Linux calls that Swift's Glibc module leaves out.
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/un.h>

/// accept4(2) with SOCK_NONBLOCK and SOCK_CLOEXEC. With _GNU_SOURCE in a public header, socket calls would take a
/// transparent union to which Swift cannot pass nil; so the macro stays inside the C file.
int clinux_accept(int listening_fd);

/// fcntl(2) F_SETFL with O_NONBLOCK; fcntl is variadic, which Swift does not import. Returns 0 or -1 with errno.
int clinux_set_nonblocking(int fd);

/// posix_spawn_file_actions_addclosefrom_np(3), which <spawn.h> hides without _GNU_SOURCE: the child closes every
/// descriptor from `first` on. Returns 0 or an error number.
int clinux_spawn_close_from(posix_spawn_file_actions_t *actions, int first);

/// posix_spawn_file_actions_addchdir_np(3), hidden as well: the child runs in `folder`. Returns 0 or an error number.
int clinux_spawn_in_folder(posix_spawn_file_actions_t *actions, const char *folder);

/// pidfd_open(2), which has no function before glibc 2.36: a descriptor that becomes readable when the child ends.
/// Returns it, or -1 with errno.
int clinux_process_descriptor(pid_t process);
