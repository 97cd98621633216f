/**
 * {@code doctor}: checks what the daemon and its VMs need on this host. {@link org.vhostuserrng.cli.doctor.HostCheck
 * Checks} read procfs and sysfs through {@link org.vhostuserrng.cli.doctor.HostFiles}, and change nothing.
 */
package org.vhostuserrng.cli.doctor;
