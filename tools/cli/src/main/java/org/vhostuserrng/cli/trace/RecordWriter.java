package org.vhostuserrng.cli.trace;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import net.openhft.chronicle.bytes.Bytes;
import org.vhostuserrng.cli.trace.TraceEvent.PassedDescriptor;

/** Writes events as {@link RecordFormat} says. */
final class RecordWriter implements TraceSink, AutoCloseable {
    private final FileChannel file;

    /** A record that replaces whatever is at {@code path}. */
    RecordWriter(Path path) throws IOException {
        file = FileChannel.open(
                path, StandardOpenOption.WRITE, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING);
        write(buffer().writeLong(RecordFormat.MAGIC).writeInt(RecordFormat.VERSION));
    }

    @Override
    public void accept(TraceEvent event) throws IOException {
        byte[] body = body(event).toByteArray();
        write(buffer().writeInt(body.length).write(body));
    }

    private static Bytes<?> body(TraceEvent event) {
        return switch (event) {
            case TraceEvent.Opened opened -> opened(opened);
            case TraceEvent.Message message -> message(message);
            case TraceEvent.Closed closed ->
                text(buffer().writeUnsignedByte(RecordFormat.CLOSED).writeLong(closed.nanos()), closed.why());
        };
    }

    private static Bytes<?> opened(TraceEvent.Opened opened) {
        Bytes<?> body = buffer().writeUnsignedByte(RecordFormat.OPENED)
                .writeInt(opened.session())
                .writeLong(opened.time().toEpochMilli());
        return text(text(body, opened.listen()), opened.connect());
    }

    private static Bytes<?> message(TraceEvent.Message message) {
        Bytes<?> body = buffer().writeUnsignedByte(RecordFormat.MESSAGE)
                .writeLong(message.nanos())
                .writeUnsignedByte(message.from().code())
                .writeInt(message.bytes().length)
                .write(message.bytes())
                .writeInt(message.descriptors().size());
        for (PassedDescriptor descriptor : message.descriptors()) {
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
