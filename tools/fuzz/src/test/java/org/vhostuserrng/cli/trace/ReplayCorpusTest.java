package org.vhostuserrng.cli.trace;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.cli.trace.TraceEvent.PassedDescriptor;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.Payload;
import org.vhostuserrng.fuzz.Corpus;
import org.vhostuserrng.fuzz.FuzzOutput;

/** Writes records of sessions for {@link ReplayFuzzTarget}. */
class ReplayCorpusTest {
    private static final int[] SIZES = {0, 8, 20, 24, 32, 40, 72};
    private static final int REPLY = 5;

    @TempDir
    private Path directory;

    @Test
    void recordsEveryMessageAndItsReply() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (FrontendMessageType type : FrontendMessageType.values()) {
            Path file = directory.resolve(type.name());
            try (RecordWriter writer = new RecordWriter(file)) {
                record(type, writer);
            }
            byte[] seed = new FuzzOutput().u8(1).bytes(Files.readAllBytes(file)).toByteArray();
            ReplayFuzzTarget.fuzzerTestOneInput(seed);
            seeds.add(seed);
        }

        Corpus.write(ReplayFuzzTarget.class, seeds);
    }

    private static void record(FrontendMessageType type, RecordWriter writer) throws IOException {
        writer.accept(new TraceEvent.Opened(1, Instant.EPOCH, "/tmp/a", "/tmp/b"));
        long nanos = 0;
        for (int size : SIZES) {
            byte[] payload = new byte[size];
            writer.accept(new TraceEvent.Message(
                    nanos++,
                    Side.FRONT_END,
                    Payload.message(type.id(), 1, payload),
                    List.of(new PassedDescriptor(0, "memfd, 4 KiB"))));
            writer.accept(new TraceEvent.Message(
                    nanos++, Side.BACK_END, Payload.message(type.id(), REPLY, payload), List.of()));
        }
        writer.accept(new TraceEvent.Closed(nanos, "the front-end closed"));
    }
}
