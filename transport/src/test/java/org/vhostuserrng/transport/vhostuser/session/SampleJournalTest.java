package org.vhostuserrng.transport.vhostuser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.vhostuser.journal.InvalidJournalException;
import org.vhostuserrng.transport.vhostuser.journal.PackedVringJournal;
import org.vhostuserrng.transport.vhostuser.journal.SessionJournal;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.Inflight;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.MemoryRegion;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.UserAddress;
import org.vhostuserrng.transport.vhostuser.session.SessionSnapshot.DirtyLogSnapshot;
import org.vhostuserrng.transport.vhostuser.session.SessionSnapshotCodec.CommittedSession;

/**
 * Tests that a journal of an earlier release, which may be in the store, can still be read. There is one sample of each
 * layout, a gzip file of the whole memory. A change of the layout needs a new version and a new sample.
 */
class SampleJournalTest {
    private static final String SAMPLE = "journal-version-3.gz";
    private static final String SAMPLE_OF_VERSION_2 = "journal-version-2.gz";
    private static final int PAGE_0_BYTES = 4096;
    private static final int DEVICE_MEMORY = 512;
    private static final int REPLY_AREA = PAGE_0_BYTES + 2 * 64;
    private static final int SECOND_COPY = PAGE_0_BYTES + 64 * 1024 + 256 * 1024;
    private static final int COPY_HEADER_BYTES = 16;

    private static final VringSnapshot VRING = new VringSnapshot(
            0,
            VringState.STARTED,
            0x8005_8005,
            256,
            new VringAddresses(new UserAddress(0x7f00_0000_1000L), new UserAddress(0x2000), new UserAddress(0x3000)),
            true,
            true,
            false,
            1,
            true,
            4,
            5,
            6,
            true,
            OptionalLong.of(0x4000));
    private static final CommittedSession STATE = new CommittedSession(
            "listen /run/vhost-user-rng/web",
            20,
            8,
            7,
            9,
            new SessionSnapshot(
                    "web",
                    0x1_4000_0000L,
                    0x1234,
                    true,
                    false,
                    0xf,
                    List.of(new MemoryRegion(0x1_0000_0000L, 1 << 20, new UserAddress(0x7f00_0000_0000L), 4096)),
                    List.of(3L),
                    List.of(VRING),
                    new DirtyLogSnapshot(4096, 8, 1, 2),
                    new Inflight(4096, 0, 1, 256, 4096),
                    8,
                    9,
                    true,
                    List.of(new Iotlb.Entry(0x5000, 0x5fff, 0x1_0000_0000L, 3))));
    private static final MemorySegment REPLY = MemorySegment.ofArray(new byte[] {1, 2, 3, 4, 5, 6, 7, 8});
    private static final MemorySegment RING = MemorySegment.ofArray(new long[512]);

    /**
     * Writes a journal with a value in each field. Commits an empty state first, so that the second copy is the valid
     * one.
     */
    private static byte[] written() throws IOException {
        try (SessionJournal journal = SessionJournal.create()) {
            journal.commit(new byte[0]);
            journal.stageReply(REPLY);
            journal.commit(SessionSnapshotCodec.encode(STATE));
            journal.setAttempts(1);
            journal.deviceMemory().set(ValueLayout.JAVA_BYTE, 0, (byte) 77);
            PackedVringJournal vring = journal.packedVring(0);
            vring.position(false).open(RING, 256, 0x8005);
            vring.started(0x8005_8005);
            vring.position(true).open(RING, 256, 0);
            return contents(journal.fd());
        }
    }

    private static byte[] contents(OwnedFd file) throws IOException {
        return Files.readAllBytes(Path.of("/proc/self/fd/" + file.number()));
    }

    private static byte[] sample(String name) throws IOException {
        try (InputStream in = SampleJournalTest.class.getResourceAsStream(name)) {
            return in == null ? new byte[0] : new GZIPInputStream(in).readAllBytes();
        }
    }

    private static SessionJournal open(byte[] contents) throws IOException {
        OwnedFd file = SealedMemfd.create("sample", contents.length);
        Files.write(Path.of("/proc/self/fd/" + file.number()), contents, StandardOpenOption.WRITE);
        return SessionJournal.open(file);
    }

    @ParameterizedTest
    @ValueSource(strings = {SAMPLE_OF_VERSION_2, SAMPLE})
    void stateOfTheSampleIsRead(String name) throws IOException {
        try (SessionJournal journal = open(sample(name))) {
            assertEquals(STATE, SessionSnapshotCodec.decode(journal.state()));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {SAMPLE_OF_VERSION_2, SAMPLE})
    void attemptsOfTheSampleAreRead(String name) throws IOException {
        try (SessionJournal journal = open(sample(name))) {
            assertEquals(1, journal.attempts());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {SAMPLE_OF_VERSION_2, SAMPLE})
    void replyOfTheSampleIsRead(String name) throws IOException {
        try (SessionJournal journal = open(sample(name))) {
            assertEquals(-1, REPLY.mismatch(journal.reply((int) REPLY.byteSize())));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {SAMPLE_OF_VERSION_2, SAMPLE})
    void deviceMemoryOfTheSampleIsRead(String name) throws IOException {
        try (SessionJournal journal = open(sample(name))) {
            assertEquals(77, journal.deviceMemory().get(ValueLayout.JAVA_BYTE, 0));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {SAMPLE_OF_VERSION_2, SAMPLE})
    void runningPackedVringOfTheSampleIsRead(String name) throws IOException {
        try (SessionJournal journal = open(sample(name))) {
            PackedVringJournal vring = journal.packedVring(0);

            assertTrue(vring.isRunning());
            assertEquals(1, vring.runs());
            assertEquals(0x8005_8005, vring.base());
            assertEquals(0x8005, vring.position(true).open(RING, 256, 0));
        }
    }

    @Test
    void journalOfVersion2IsReadOnAfterTwoProcesses() throws IOException {
        byte[] afterFirst;
        try (SessionJournal journal = open(sample(SAMPLE_OF_VERSION_2))) {
            afterFirst = contents(journal.fd());
        }

        try (SessionJournal journal = open(afterFirst)) {
            assertEquals(STATE, SessionSnapshotCodec.decode(journal.state()));
            assertEquals(2, journal.sequence());
        }
    }

    private static String describe(SessionJournal journal) throws IOException {
        PackedVringJournal vring = journal.packedVring(0);
        return SessionSnapshotCodec.decode(journal.state()) + " attempts " + journal.attempts() + " sequence "
                + journal.sequence() + " reply "
                + Arrays.toString(journal.reply(64).toArray(ValueLayout.JAVA_BYTE)) + " runs " + vring.runs() + " base "
                + vring.base() + " running " + vring.isRunning() + " position "
                + vring.position(true).open(RING, 256, 0);
    }

    /** All bytes that another process wrote and this process reads, except those of the device, which checks them. */
    private static IntStream checkedBytes() {
        int copy = COPY_HEADER_BYTES + SessionSnapshotCodec.encode(STATE).length;
        return IntStream.concat(
                IntStream.concat(IntStream.range(0, DEVICE_MEMORY), IntStream.range(2 * DEVICE_MEMORY, PAGE_0_BYTES)),
                IntStream.concat(
                        IntStream.range(REPLY_AREA, REPLY_AREA + 64),
                        IntStream.range(SECOND_COPY, SECOND_COPY + copy)));
    }

    @ParameterizedTest
    @ValueSource(ints = {0x01, 0x03})
    void flippedByteNeverGivesAnotherSession(int mask) throws IOException {
        byte[] sample = sample(SAMPLE);
        String intact;
        try (SessionJournal journal = open(sample)) {
            intact = describe(journal);
        }
        for (int offset : checkedBytes().toArray()) {
            sample[offset] ^= (byte) mask;
            try (SessionJournal journal = open(sample)) {
                assertEquals(intact, describe(journal), () -> "byte " + offset);
            } catch (InvalidJournalException refused) {
                assertTrue(refused.getMessage().startsWith("journal: "), refused::getMessage);
            }
            sample[offset] ^= (byte) mask;
        }
    }

    @Test
    void thisBuildWritesTheLayoutOfTheSample() throws IOException {
        byte[] written = written();
        if (!Arrays.equals(sample(SAMPLE), written)) {
            ByteArrayOutputStream compressed = new ByteArrayOutputStream();
            try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
                gzip.write(written);
            }
            Files.write(Path.of("target", SAMPLE), compressed.toByteArray());
        }

        assertTrue(
                Arrays.equals(sample(SAMPLE), written),
                "the layout has changed: give it a new version, and keep transport/target/" + SAMPLE
                        + " as the sample of that version");
    }
}
