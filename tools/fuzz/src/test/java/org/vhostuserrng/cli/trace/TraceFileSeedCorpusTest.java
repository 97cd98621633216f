package org.vhostuserrng.cli.trace;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.cli.trace.TraceRecord.PassedFd;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.fuzz.FuzzCorpus;
import org.vhostuserrng.fuzz.FuzzInputWriter;

/** Writes the seed corpus of {@link TraceFileFuzzTarget}: recorded sessions. */
class TraceFileSeedCorpusTest {
    private static final int[] SIZES = {0, 8, 20, 24, 32, 40, 72};
    private static final int REPLY = 5;

    @TempDir
    private Path directory;

    @Test
    void recordsEveryMessageAndItsReply() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (FrontendMessageType type : FrontendMessageType.values()) {
            Path file = directory.resolve(type.name());
            try (TraceFileWriter writer = new TraceFileWriter(file)) {
                record(type, writer);
            }
            byte[] seed =
                    new FuzzInputWriter().u8(1).bytes(Files.readAllBytes(file)).toByteArray();
            TraceFileFuzzTarget.fuzzerTestOneInput(seed);
            seeds.add(seed);
        }

        FuzzCorpus.write(TraceFileFuzzTarget.class, seeds);
    }

    private static void record(FrontendMessageType type, TraceFileWriter writer) throws IOException {
        writer.accept(new TraceRecord.SessionOpened(1, Instant.EPOCH, "/tmp/a", "/tmp/b"));
        long nanos = 0;
        for (int size : SIZES) {
            byte[] payload = new byte[size];
            writer.accept(new TraceRecord.MessageSent(
                    nanos++,
                    TraceSide.FRONT_END,
                    FrontendPayloadEncoder.message(type.id(), 1, payload),
                    List.of(new PassedFd(0, "memfd, 4 KiB"))));
            writer.accept(new TraceRecord.MessageSent(
                    nanos++, TraceSide.BACK_END, FrontendPayloadEncoder.message(type.id(), REPLY, payload), List.of()));
        }
        writer.accept(new TraceRecord.SessionClosed(nanos, "the front-end closed"));
    }
}
