/**
 * {@code trace}: a proxy between a VMM and a vhost-user back-end that shows what they say to each other.
 *
 * <p>{@link org.vhostuserrng.cli.trace.MessagePump} moves the messages of one direction and reports each as a {@link
 * org.vhostuserrng.cli.trace.TraceEvent}. What is seen on the terminal follows from the events alone: {@link
 * org.vhostuserrng.cli.trace.Transcript} prints them, whether they happen now or come out of a {@link
 * org.vhostuserrng.cli.trace.RecordFormat record}.
 */
package org.vhostuserrng.cli.trace;
