/**
 * The Linux system calls of this module: descriptors, eventfds, epoll, UNIX sockets, memory mappings.
 *
 * <p>The only package of the module that makes native calls ({@link java.lang.foreign.Linker}) or reinterprets
 * addresses. A failed call throws {@link org.vhostuserrng.libc.ErrnoException}, except on the data path, where the
 * negated errno is the return value. Objects are confined to the thread that created them unless documented otherwise.
 */
package org.vhostuserrng.transport.sys;
