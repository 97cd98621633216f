package org.vhostuserrng.cli.trace;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import net.openhft.chronicle.bytes.Bytes;
import org.vhostuserrng.cli.trace.TraceRecord.PassedFd;

/** Writes records to a file in {@link TraceFileFormat}. */
final class TraceFileWriter implements TraceRecordSink, AutoCloseable {
    private final FileChannel file;

    /** Creates the file, or truncates an existing one. */
    TraceFileWriter(Path path) throws IOException {
        file = FileChannel.open(
                path, StandardOpenOption.WRITE, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING);
        write(buffer().writeLong(TraceFileFormat.MAGIC).writeInt(TraceFileFormat.VERSION));
    }

    @Override
    public void accept(TraceRecord traceRecord) throws IOException {
        byte[] body = body(traceRecord).toByteArray();
        write(buffer().writeInt(body.length).write(body));
    }

    private static Bytes<?> body(TraceRecord traceRecord) {
        return switch (traceRecord) {
            case TraceRecord.SessionOpened opened -> opened(opened);
            case TraceRecord.MessageSent message -> message(message);
            case TraceRecord.SessionClosed closed ->
                text(buffer().writeUnsignedByte(TraceFileFormat.CLOSED).writeLong(closed.nanos()), closed.reason());
        };
    }

    private static Bytes<?> opened(TraceRecord.SessionOpened opened) {
        Bytes<?> body = buffer().writeUnsignedByte(TraceFileFormat.OPENED)
                .writeInt(opened.session())
                .writeLong(opened.time().toEpochMilli());
        return text(text(body, opened.listen()), opened.connect());
    }

    private static Bytes<?> message(TraceRecord.MessageSent message) {
        Bytes<?> body = buffer().writeUnsignedByte(TraceFileFormat.MESSAGE)
                .writeLong(message.nanos())
                .writeUnsignedByte(message.from().code())
                .writeInt(message.bytes().length)
                .write(message.bytes())
                .writeInt(message.fds().size());
        for (PassedFd descriptor : message.fds()) {
            text(body.writeInt(descriptor.offset()), descriptor.description());
        }
        return body;
    }

    private static Bytes<?> text(Bytes<?> body, String text) {
        byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
        return body.writeInt(encoded.length).write(encoded);
    }

    private static Bytes<?> buffer() {
        return Bytes.allocateElasticOnHeap();
    }

    private void write(Bytes<?> bytes) throws IOException {
        ByteBuffer data = ByteBuffer.wrap(bytes.toByteArray());
        while (data.hasRemaining()) {
            file.write(data);
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
