/**
 * {@code period-study}: what max-bytes and period do to a guest that reads as fast as it can, drawn over time. The
 * experiment is that of QEMU's documentation of virtio-rng: 20 MB/s as 20 MB each second and as 100 MB each five.
 */
package org.vhostuserrng.cli.periodstudy;
