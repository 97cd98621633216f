/**
 * {@code period-study}: plots how max-bytes and period affect a guest that reads continuously. It repeats the
 * experiment in QEMU's documentation of virtio-rng: 20 MB/s as 20 MB per second and as 100 MB per five seconds. {@link
 * org.vhostuserrng.cli.periodstudy.RateLimitedDaemonProcess} is the measured daemon, {@link
 * org.vhostuserrng.cli.periodstudy.GuestThroughputRecorder} the guest, {@link
 * org.vhostuserrng.cli.periodstudy.PeriodStudyPlot} the plot. Everything runs on the main thread.
 */
package org.vhostuserrng.cli.periodstudy;
