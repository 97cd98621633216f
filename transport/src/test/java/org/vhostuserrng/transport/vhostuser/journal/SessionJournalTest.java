package org.vhostuserrng.transport.vhostuser.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.FdStoreMemory;

class SessionJournalTest {
    private static final MemorySegment DUP = Libc.symbol("dup");
    private static final long VERSION = 8;
    private static final long KIND = 12;
    private static final long SWITCH = 24;
    private static final long ATTEMPTS = 32;
    private static final long FIRST_VRING = 1024;
    private static final long FIRST_COPY = 4096 + 64 * 1024;

    private SessionJournal journal;

    @BeforeEach
    void create() throws IOException {
        journal = SessionJournal.create();
    }

    @AfterEach
    void close() {
        journal.close();
    }

    private static OwnedFd duplicate(OwnedFd fd) {
        return new OwnedFd(Libc.callInt(DUP, fd.number(), 0, 0, 0, 0));
    }

    private static byte[] state(int length) {
        byte[] state = new byte[length];
        new Random(length).nextBytes(state);
        return state;
    }

    /** Returns the state that the next process reads. */
    private byte[] reopened() throws InvalidJournalException {
        try (SessionJournal next = SessionJournal.open(duplicate(journal.fd()))) {
            return next.state();
        }
    }

    /** Flips bits of the journal's memory. */
    private void damage(long offset, int mask) throws IOException {
        long size = 16L << 20;
        for (long tried = 4096; tried <= size; tried += 4096) {
            try (FdStoreMemory memory = FdStoreMemory.map(duplicate(journal.fd()), tried)) {
                if (offset < tried) {
                    byte before = memory.segment().get(ValueLayout.JAVA_BYTE, offset);
                    memory.segment().set(ValueLayout.JAVA_BYTE, offset, (byte) (before ^ mask));
                    return;
                }
            }
        }
    }

    @Test
    void nextProcessFindsTheLastState() throws IOException {
        journal.commit(state(10));
        journal.commit(state(2000));
        journal.commit(state(30));

        assertArrayEquals(state(30), reopened());
    }

    @Test
    void journalWithoutAStateIsInvalid() {
        assertThrows(InvalidJournalException.class, this::reopened);
    }

    @Test
    void commitsAreCounted() {
        journal.commit(state(1));
        journal.commit(state(1));

        assertEquals(2, journal.sequence());
    }

    @Test
    void stateOfAHalfWrittenCopyIsNotUsed() throws IOException {
        journal.commit(state(100));
        journal.commit(state(50));
        // The second copy is valid now, and the first one contains the previous state.
        damage(FIRST_COPY + 20, 0xff);

        assertArrayEquals(state(50), reopened());
    }

    @Test
    void anyFlippedByteOfTheStateIsNoticed() throws IOException {
        int length = 64;
        journal.commit(state(length));
        for (long offset = 0; offset < 16 + length; offset++) {
            damage(FIRST_COPY + offset, 0x20);
            assertThrows(InvalidJournalException.class, this::reopened, "byte " + offset);
            damage(FIRST_COPY + offset, 0x20);
        }

        assertArrayEquals(state(length), reopened());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, VERSION, KIND, SWITCH, SWITCH + 3, ATTEMPTS, FIRST_VRING + 24})
    void damagedHeaderIsNoticed(long offset) throws IOException {
        journal.commit(state(8));
        damage(offset, 0x40);

        assertThrows(InvalidJournalException.class, this::reopened);
    }

    @Test
    void newerVersionIsRefusedWithBothVersions() throws IOException {
        journal.commit(state(8));
        damage(VERSION, 7);

        InvalidJournalException refused = assertThrows(InvalidJournalException.class, this::reopened);

        assertTrue(refused.getMessage().contains("version 4, expected 3"), refused::getMessage);
    }

    @Test
    void nextProcessFindsTheNumberOfAttempts() throws IOException {
        journal.setAttempts(2);

        try (SessionJournal next = SessionJournal.open(duplicate(journal.fd()))) {
            assertEquals(2, next.attempts());
        }
    }

    @Test
    void stagedReplyOfAnUncommittedStateIsNotUnsent() throws IOException {
        journal.commit(state(1));
        journal.stageReply(MemorySegment.ofArray(state(20)));

        assertEquals(0, journal.unsentReplyBytes(20));
    }

    @Test
    void replyOfACommittedStateIsUnsentUntilItIsSent() throws IOException {
        journal.stageReply(MemorySegment.ofArray(state(20)));
        journal.commit(state(1));
        int before = journal.unsentReplyBytes(20);
        journal.replySent(20);

        assertEquals(20, before);
        assertEquals(0, journal.unsentReplyBytes(20));
    }

    @Test
    void stoppedPackedVringTellsItsBase() {
        PackedVringJournal vring = journal.packedVring(0);
        vring.started(7);
        vring.stopped(9);

        assertEquals(1, vring.runs());
        assertEquals(9, vring.base());
    }
}
