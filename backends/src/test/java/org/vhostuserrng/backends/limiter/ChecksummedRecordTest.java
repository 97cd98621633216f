package org.vhostuserrng.backends.limiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckedRecordTest {
    private static final int WORDS = 2;

    private final byte[] bytes = new byte[CheckedRecord.bytes(WORDS)];
    private final MemorySegment memory = MemorySegment.ofArray(bytes);

    private CheckedRecord record() {
        return new CheckedRecord(memory, WORDS);
    }

    private static void write(CheckedRecord record, long value) {
        MemorySegment copy = record.begin();
        copy.set(ValueLayout.JAVA_LONG_UNALIGNED, CheckedRecord.WORDS, value);
        copy.set(ValueLayout.JAVA_LONG_UNALIGNED, CheckedRecord.WORDS + Long.BYTES, -value);
        record.commit();
    }

    private static long value(CheckedRecord record) {
        return record.latest().get(ValueLayout.JAVA_LONG_UNALIGNED, CheckedRecord.WORDS);
    }

    @Test
    void newMemoryHasNoContent() {
        assertEquals(CheckedRecord.Content.NONE, record().open());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void lastCommittedWordsAreFound(int commits) {
        CheckedRecord first = record();
        for (int i = 1; i <= commits; i++) {
            write(first, i);
        }
        CheckedRecord next = record();

        assertEquals(CheckedRecord.Content.INTACT, next.open());
        assertEquals(commits, value(next));
    }

    @Test
    void wordsBeforeAHalfWrittenCopyAreFound() {
        CheckedRecord first = record();
        write(first, 1);
        write(first, 2);
        first.begin().fill((byte) 0);
        CheckedRecord next = record();

        assertEquals(CheckedRecord.Content.INTACT, next.open());
        assertEquals(2, value(next));
    }

    @Test
    void damagedOnlyCopyIsNotUsed() {
        write(record(), 1);
        bytes[bytes.length / 2 + CheckedRecord.WORDS] ^= 1;
        CheckedRecord next = record();

        assertEquals(CheckedRecord.Content.DAMAGED, next.open());
        assertNull(next.latest());
    }

    @ParameterizedTest
    @ValueSource(ints = {0x01, 0x03, 0x80, 0xff})
    void anyFlippedByteIsNoticed(int mask) {
        CheckedRecord first = record();
        write(first, 1);
        write(first, 2);
        byte[] intact = bytes.clone();
        for (int offset = 0; offset < bytes.length; offset++) {
            memory.copyFrom(MemorySegment.ofArray(intact));
            bytes[offset] ^= (byte) mask;
            assertEquals(CheckedRecord.Content.DAMAGED, record().open(), "byte " + offset);
        }
    }
}
