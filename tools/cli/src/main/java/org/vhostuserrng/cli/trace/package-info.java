/**
 * {@code trace}: a proxy between a VMM and a vhost-user back-end that shows what they say to each other.
 *
 * <p>{@link org.vhostuserrng.cli.trace.TraceMessageForwarder} moves the messages of one direction and reports each as a {@link
 * org.vhostuserrng.cli.trace.TraceRecord}. What is seen on the terminal follows from the events alone: {@link
 * org.vhostuserrng.cli.trace.TracePrinter} prints them, whether they happen now or come out of a {@link
 * org.vhostuserrng.cli.trace.TraceFileFormat record}.
 */
package org.vhostuserrng.cli.trace;
