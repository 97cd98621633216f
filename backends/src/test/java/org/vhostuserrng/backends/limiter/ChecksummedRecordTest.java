package org.vhostuserrng.backends.limiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChecksummedRecordTest {
    private static final int WORDS = 2;

    private final byte[] bytes = new byte[ChecksummedRecord.bytes(WORDS)];
    private final MemorySegment memory = MemorySegment.ofArray(bytes);

    private ChecksummedRecord record() {
        return new ChecksummedRecord(memory, WORDS);
    }

    private static void write(ChecksummedRecord record, long value) {
        MemorySegment copy = record.begin();
        copy.set(ValueLayout.JAVA_LONG_UNALIGNED, ChecksummedRecord.WORDS, value);
        copy.set(ValueLayout.JAVA_LONG_UNALIGNED, ChecksummedRecord.WORDS + Long.BYTES, -value);
        record.commit();
    }

    private static long value(ChecksummedRecord record) {
        return record.latest().get(ValueLayout.JAVA_LONG_UNALIGNED, ChecksummedRecord.WORDS);
    }

    @Test
    void newMemoryHasNoContent() {
        assertEquals(ChecksummedRecord.Content.NONE, record().open());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void lastCommittedWordsAreFound(int commits) {
        ChecksummedRecord first = record();
        for (int i = 1; i <= commits; i++) {
            write(first, i);
        }
        ChecksummedRecord next = record();

        assertEquals(ChecksummedRecord.Content.INTACT, next.open());
        assertEquals(commits, value(next));
    }

    @Test
    void wordsBeforeAHalfWrittenCopyAreFound() {
        ChecksummedRecord first = record();
        write(first, 1);
        write(first, 2);
        first.begin().fill((byte) 0);
        ChecksummedRecord next = record();

        assertEquals(ChecksummedRecord.Content.INTACT, next.open());
        assertEquals(2, value(next));
    }

    @Test
    void damagedOnlyCopyIsNotUsed() {
        write(record(), 1);
        bytes[bytes.length / 2 + ChecksummedRecord.WORDS] ^= 1;
        ChecksummedRecord next = record();

        assertEquals(ChecksummedRecord.Content.DAMAGED, next.open());
        assertNull(next.latest());
    }

    @ParameterizedTest
    @ValueSource(ints = {0x01, 0x03, 0x80, 0xff})
    void anyFlippedByteIsNoticed(int mask) {
        ChecksummedRecord first = record();
        write(first, 1);
        write(first, 2);
        byte[] intact = bytes.clone();
        for (int offset = 0; offset < bytes.length; offset++) {
            memory.copyFrom(MemorySegment.ofArray(intact));
            bytes[offset] ^= (byte) mask;
            assertEquals(ChecksummedRecord.Content.DAMAGED, record().open(), "byte " + offset);
        }
    }
}
