/**
 * The interface to the operating system that all modules share.
 *
 * <ul>
 *   <li>Native calls: {@link org.vhostuserrng.libc.Libc} calls a function of libc, an
 *       {@link org.vhostuserrng.libc.ErrnoException} reports its failure, and an
 *       {@link org.vhostuserrng.libc.OwnedFd} owns a file descriptor. The sys packages of transport and backends use
 *       these types.
 *   <li>Bytes in any locale: {@link org.vhostuserrng.libc.NativeText},
 *       {@link org.vhostuserrng.libc.NativeArguments} and {@link org.vhostuserrng.libc.NativePath}.
 *   <li>Child processes: {@link org.vhostuserrng.libc.PosixSpawn}, {@link org.vhostuserrng.libc.ChildStatus} and
 *       {@link org.vhostuserrng.libc.EnvironmentVariables}.
 *   <li>A service's log and signals: {@link org.vhostuserrng.libc.LogStream},
 *       {@link org.vhostuserrng.libc.LogLineLimiter}, {@link org.vhostuserrng.libc.ServiceSignals},
 *       {@link org.vhostuserrng.libc.SurvivedSignalLog} and {@link org.vhostuserrng.libc.SignalInbox}.
 * </ul>
 */
package org.vhostuserrng.libc;
