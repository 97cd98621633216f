/**
 * Native calls: {@link org.vhostuserrng.libc.Libc} calls a function of libc, an
 * {@link org.vhostuserrng.libc.ErrnoException} reports its failure, and an {@link org.vhostuserrng.libc.OwnedFd} owns a
 * file descriptor. The sys packages of transport and backends use these types.
 */
package org.vhostuserrng.libc;
