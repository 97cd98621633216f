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
import org.vhostuserrng.frontend.VfioUserClient;
import org.vhostuserrng.fuzz.FuzzCorpus;
import org.vhostuserrng.fuzz.FuzzInputWriter;

/** Writes the seed corpus of {@link TraceFileFuzzTarget}: recorded sessions. */
class TraceFileSeedCorpusTest {
    private static final int[] SIZES = {0, 8, 20, 24, 32, 40, 72};
    private static final int REPLY = 5;
    private static final int VFIO_USER_REPLY = 1;

    @TempDir
    private Path directory;

    @Test
    void recordsEveryMessageAndItsReply() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (FrontendMessageType type : FrontendMessageType.values()) {
            seeds.add(seed(writer -> record(type, writer)));
        }
        for (VfioUserTraceCommand command : VfioUserTraceCommand.values()) {
            seeds.add(seed(writer -> record(command, writer)));
        }

        FuzzCorpus.write(TraceFileFuzzTarget.class, seeds);
    }

    /** Writes the records of a session. */
    @FunctionalInterface
    private interface Session {
        void record(TraceFileWriter writer) throws IOException;
    }

    private byte[] seed(Session session) throws IOException {
        Path file = directory.resolve("session");
        try (TraceFileWriter writer = new TraceFileWriter(file)) {
            session.record(writer);
        }
        byte[] seed =
                new FuzzInputWriter().u8(1).bytes(Files.readAllBytes(file)).toByteArray();
        TraceFileFuzzTarget.fuzzerTestOneInput(seed);
        return seed;
    }

    /** The client first reads a configuration space with an MSI-X and a virtio capability. */
    private static void record(VfioUserTraceCommand command, TraceFileWriter writer) throws IOException {
        writer.accept(new TraceRecord.SessionOpened(1, Instant.EPOCH, "/tmp/a", "/tmp/b"));
        accept(writer, TraceSide.FRONT_END, VfioUserTraceCommand.VERSION, 0, VfioUserClient.version(0, 0, "{}\0"));
        byte[] config = new byte[256];
        System.arraycopy(new byte[] {0x11, 0x50, 1, 0, 1, 0, 0, 0, 1, 8, 0, 0}, 0, config, 0x40, 12);
        System.arraycopy(new byte[] {9, 0, 16, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0}, 0, config, 0x50, 16);
        config[0x34] = 0x40;
        byte[] read = VfioUserClient.regionWrite(VfioUserClient.CONFIG_REGION, 0, config);
        accept(writer, TraceSide.BACK_END, VfioUserTraceCommand.REGION_READ, VFIO_USER_REPLY, read);
        for (int size : SIZES) {
            accept(writer, TraceSide.FRONT_END, command, 0, new byte[size]);
            accept(writer, TraceSide.BACK_END, command, VFIO_USER_REPLY, new byte[size]);
        }
        accept(writer, TraceSide.FRONT_END, command, 0, VfioUserClient.regionWrite(4, 0x14, new byte[] {1}));
        writer.accept(new TraceRecord.SessionClosed(0, "the client closed"));
    }

    private static void accept(
            TraceFileWriter writer, TraceSide from, VfioUserTraceCommand command, int flags, byte[] payload)
            throws IOException {
        byte[] message = VfioUserClient.message(0, command.id(), flags, payload);
        writer.accept(new TraceRecord.MessageSent(0, from, message, List.of(new PassedFd(0, "eventfd 1 count=0"))));
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
