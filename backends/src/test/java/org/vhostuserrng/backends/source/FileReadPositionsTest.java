package org.vhostuserrng.backends.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.backends.sys.EntropyFile;
import org.vhostuserrng.backends.sys.EntropyFileStatus;
import org.vhostuserrng.backends.sys.EntropyFileStatus.Identity;

/** Tests positions that a process leaves in memory, and from which the next process continues. */
class FileReadPositionsTest {
    private static final long CHECKSUM = 36;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory = arena.allocate(FileReadPositions.PERSISTED_BYTES, 8);
    private final MemorySegment target = arena.allocate(64);

    @TempDir
    private Path directory;

    @AfterEach
    void free() {
        arena.close();
    }

    private FileReadPositions process() {
        FileReadPositions positions = new FileReadPositions();
        positions.persistIn(memory);
        return positions;
    }

    private Path file(String name, String content) throws IOException {
        return Files.writeString(directory.resolve(name), content);
    }

    private String read(FileReadPositions positions, Path path, int length) throws IOException {
        try (EntropyFile file = EntropyFile.open(path)) {
            int read = positions.read(file, file.status().identity(), target, 0, length);
            return new String(target.asSlice(0, read).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.US_ASCII);
        }
    }

    @Test
    void nextProcessReadsOn() throws IOException {
        Path file = file("a", "abcdef");
        read(process(), file, 2);

        String next = read(process(), file, 3);

        assertEquals("cde", next);
    }

    @Test
    void fileThatWasProbedBeforeThePositionsWereKnownIsReadOn() throws IOException {
        Path file = file("a", "abcdef");
        read(process(), file, 2);
        FileReadPositions second = new FileReadPositions();
        second.add(EntropyFileStatus.of(file).identity());
        second.persistIn(memory);

        String next = read(second, file, 3);

        assertEquals("cde", next);
    }

    @Test
    void eachFileHasItsOwnPosition() throws IOException {
        Path first = file("a", "abcdef");
        Path second = file("b", "ABCDEF");
        FileReadPositions process = process();
        read(process, first, 1);
        read(process, second, 4);
        FileReadPositions next = process();

        String read = read(next, first, 2) + read(next, second, 2);

        assertEquals("bcEF", read);
    }

    @Test
    void fileThatReplacedAnotherBetweenTwoProcessesIsReadFromItsBeginning() throws IOException {
        Path path = file("a", "abcdef");
        read(process(), path, 4);
        Files.move(file("new", "ABCDEF"), path, StandardCopyOption.REPLACE_EXISTING);

        String next = read(process(), path, 3);

        assertEquals("ABC", next);
    }

    @Test
    void slotOfAHalfWrittenIdentityIsUnused() throws IOException {
        Path file = file("a", "abcdef");
        read(process(), file, 2);
        memory.set(ValueLayout.JAVA_INT, CHECKSUM, memory.get(ValueLayout.JAVA_INT, CHECKSUM) ^ 4);

        String next = read(process(), file, 2);

        assertEquals("ab", next);
    }

    @Test
    void oldestOfTooManyFilesGivesUpItsSlot() throws IOException {
        Path file = file("a", "abcdef");
        FileReadPositions first = process();
        for (int i = 0; i < 5000; i++) {
            first.add(new Identity(1, i, 0, 0, 0));
        }
        read(first, file, 2);
        FileReadPositions second = process();
        assertTrue(second.isKept());

        String next = read(second, file, 2);

        assertEquals("cd", next);
    }

    @Test
    void flippedByteOfASlotIsNoticed() throws IOException {
        Path file = file("a", "abcdef");
        read(process(), file, 2);
        byte[] intact = memory.toArray(ValueLayout.JAVA_BYTE);
        for (int offset = 0; offset < CHECKSUM + 4; offset++) {
            assertEquals(1, damagedAfterFlip(intact, offset), "byte " + offset);
        }
        for (int offset = 48; offset < 56; offset++) {
            assertEquals(1, damagedAfterFlip(intact, offset), "byte " + offset);
        }
    }

    private int damagedAfterFlip(byte[] intact, int offset) {
        memory.copyFrom(MemorySegment.ofArray(intact));
        memory.set(ValueLayout.JAVA_BYTE, offset, (byte) (intact[offset] ^ 0x41));
        return new FileReadPositions().persistIn(memory);
    }

    @Test
    void positionOfVersion1IsReadOn() throws IOException {
        Path file = file("a", "abcdef");
        read(process(), file, 2);
        memory.set(ValueLayout.JAVA_LONG, 40, 2);
        memory.set(ValueLayout.JAVA_LONG, 48, 0);
        FileReadPositions.upgradeFromVersion1(memory);

        String next = read(process(), file, 3);

        assertEquals("cde", next);
    }
}
