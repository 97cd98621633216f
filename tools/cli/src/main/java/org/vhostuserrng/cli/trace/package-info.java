/**
 * {@code trace}: a proxy between a VMM and a vhost-user back-end or vfio-user server that prints every message.
 *
 * <p>{@link org.vhostuserrng.cli.trace.TraceMessageForwarder} forwards the messages of one direction and reports each
 * message as a {@link org.vhostuserrng.cli.trace.TraceRecord}; each direction has a thread.
 * {@link org.vhostuserrng.cli.trace.TraceRecordDispatcher} passes the records of both threads to the sinks:
 * {@link org.vhostuserrng.cli.trace.TracePrinter}, which decodes them with the
 * {@link org.vhostuserrng.cli.trace.TraceMessageDecoder} of the session's
 * {@linkplain org.vhostuserrng.cli.trace.TraceProtocol protocol}, and
 * {@link org.vhostuserrng.cli.trace.TraceFileWriter}. The printed text depends on the records only, so that
 * {@code --replay} prints the same text from a {@linkplain org.vhostuserrng.cli.trace.TraceFileFormat file}.
 */
package org.vhostuserrng.cli.trace;
