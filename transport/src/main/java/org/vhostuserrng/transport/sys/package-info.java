/**
 * The Linux system calls of this module, for descriptors, eventfds, epoll, UNIX sockets and memory mappings.
 *
 * <p>Only this package of the module makes native calls ({@link java.lang.foreign.Linker}) or reinterprets addresses. A
 * failed call throws {@link org.vhostuserrng.libc.ErrnoException}, except on the data path, where methods return the
 * negated errno. Objects are confined to the thread that created them unless documented otherwise.
 */
package org.vhostuserrng.transport.sys;
