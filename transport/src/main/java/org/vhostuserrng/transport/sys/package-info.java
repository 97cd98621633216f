/**
 * The operating system as this module uses it: descriptors, eventfds, epoll, UNIX sockets, mappings.
 *
 * <p>The only package of the module that makes native calls ({@link java.lang.foreign.Linker}) or reinterprets
 * addresses. A call that fails throws {@link org.vhostuserrng.transport.sys.ErrnoException} with its errno, except on the
 * data path, where the negative errno is the return value. Objects belong to the thread that created them unless they
 * say otherwise.
 */
package org.vhostuserrng.transport.sys;
