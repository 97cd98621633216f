/**
 * {@code doctor}: checks the requirements of the daemon and its VMs on this host.
 * {@link org.vhostuserrng.cli.doctor.HostCheck Checks} read procfs and sysfs through
 * {@link org.vhostuserrng.cli.doctor.HostFiles}, and change nothing.
 */
package org.vhostuserrng.cli.doctor;
