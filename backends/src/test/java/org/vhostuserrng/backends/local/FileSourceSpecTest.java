package org.vhostuserrng.backends.local;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.expression.SourceExpressionParser;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.backends.source.SharedSourceSpec;
import org.vhostuserrng.backends.source.SourceRegistry;

/** Tests with real files and FIFOs. Waits for events, never for a fixed time. */
class FileSourceSpecTest {
    private static final long TIMEOUT_SECONDS = 120;

    private final Semaphore readable = new Semaphore(0);

    @TempDir
    private Path directory;

    private byte[] read(EntropySource source, int length) throws InterruptedException {
        ByteArrayOutputStream read = new ByteArrayOutputStream();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment target = arena.allocate(length);
            while (read.size() < length) {
                int filled = source.fill(target, read.size(), length - read.size());
                if (filled > 0) {
                    read.writeBytes(target.asSlice(read.size(), filled).toArray(ValueLayout.JAVA_BYTE));
                } else {
                    awaitReadable();
                }
            }
        }
        return read.toByteArray();
    }

    private void awaitReadable() throws InterruptedException {
        assertTrue(readable.tryAcquire(TIMEOUT_SECONDS, TimeUnit.SECONDS), "no notification");
    }

    private static SharedSourceSpec file(Path path) {
        return (SharedSourceSpec) SourceExpressionParser.parse("file:" + path);
    }

    /** Creates a source without health tests, for files that are too short for the start-up tests. */
    private static SharedSourceSpec untested(Path path) {
        return (SharedSourceSpec) SourceExpressionParser.parse("file:" + path + ",health=off");
    }

    /** Returns random bytes without repeated sequences. */
    private static byte[] unrepeatedBytes(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "file:",
                "file",
                "rdrand:",
                "/dev/urandom",
                "file:x,nonsense=1",
                "file:x,health=no",
                "file:x,min-entropy=9",
                "file:x,min-entropy=0",
                "file:x,on-eof=rewind",
                "getrandom,health=off",
                "file:x,health=on,health=on"
            })
    void refusesMalformedExpression(String text) {
        assertThrows(IllegalArgumentException.class, () -> SourceExpressionParser.parse(text));
    }

    @Test
    void probeFailsForDirectory() {
        assertThrows(IOException.class, () -> file(directory).probe());
    }

    @Test
    void probeFailsForMissingFileWithErrnoText() {
        IOException missing = assertThrows(
                IOException.class, () -> file(directory.resolve("nothing")).probe());

        assertTrue(missing.getMessage().contains("No such file"), missing.getMessage());
    }

    @Test
    void readsUrandomDirectlyUnderAnyName() throws IOException {
        Path link = Files.createSymbolicLink(directory.resolve("random"), Path.of("/dev/urandom"));

        try (EntropySource source = file(link).open(readable::release)) {
            assertInstanceOf(UrandomSource.class, source);
        }
    }

    @Test
    void fillsExactlyTheRequestedBytes() throws IOException {
        try (EntropySource source = file(Path.of("/dev/urandom")).open(readable::release);
                Arena arena = Arena.ofConfined()) {
            MemorySegment target = arena.allocate(64);

            int filled = source.fill(target, 16, 32);

            assertEquals(32, filled);
            assertArrayEquals(new byte[16], target.asSlice(0, 16).toArray(ValueLayout.JAVA_BYTE));
            assertArrayEquals(new byte[16], target.asSlice(48, 16).toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @Test
    void refusesToFillBeyondTheSegment() throws IOException {
        try (EntropySource source = file(Path.of("/dev/urandom")).open(readable::release);
                Arena arena = Arena.ofConfined()) {
            MemorySegment target = arena.allocate(64);

            assertThrows(IndexOutOfBoundsException.class, () -> source.fill(target, 60, 5));
        }
    }

    @Test
    void returnsBytesOfFileInOrder() throws IOException, InterruptedException {
        byte[] content = unrepeatedBytes(200_000);
        Path path = Files.write(directory.resolve("file"), content);

        try (EntropySource source = file(path).open(readable::release)) {
            assertArrayEquals(content, read(source, content.length));
        }
    }

    @Test
    void returnsNoByteTwiceAfterReopening() throws IOException, InterruptedException {
        byte[] content = unrepeatedBytes(400_000);
        SharedSourceSpec spec = file(Files.write(directory.resolve("file"), content));
        byte[] first;
        try (EntropySource source = spec.open(readable::release)) {
            first = read(source, 100);
        }

        byte[] second;
        try (EntropySource source = spec.open(readable::release)) {
            second = read(source, 100);
        }

        int resumedAt = indexOf(content, second);
        assertArrayEquals(Arrays.copyOf(content, 100), first);
        assertTrue(resumedAt >= 100, "resumed at " + resumedAt);
    }

    /** Fills one byte. Waits as long as the result is WOULD_BLOCK. */
    private int fillByte(EntropySource source, MemorySegment target) throws InterruptedException {
        int result = source.fill(target, 0, 1);
        while (result == EntropySource.WOULD_BLOCK) {
            awaitReadable();
            result = source.fill(target, 0, 1);
        }
        return result;
    }

    @Test
    void failsAtEndOfFile() throws IOException, InterruptedException {
        Path path = Files.write(directory.resolve("file"), unrepeatedBytes(10));
        try (EntropySource source = untested(path).open(readable::release);
                Arena arena = Arena.ofConfined()) {
            read(source, 10);

            assertEquals(EntropySource.FAILED, fillByte(source, arena.allocate(1)));
        }
    }

    /** Reads /proc/self/mem at address 0, which is not mapped, so that read(2) fails with EIO. */
    @Test
    void failsWhenReadFails() throws IOException, InterruptedException {
        try (EntropySource source = file(Path.of("/proc/self/mem")).open(readable::release);
                Arena arena = Arena.ofConfined()) {
            assertEquals(EntropySource.FAILED, fillByte(source, arena.allocate(1)));
        }
    }

    @Test
    void returnsNoByteTwiceThroughTwoNames() throws IOException, InterruptedException {
        byte[] content = unrepeatedBytes(400_000);
        Path path = Files.write(directory.resolve("file"), content);
        Path link = Files.createSymbolicLink(directory.resolve("link"), path);
        EntropySourceSpec twice = SourceExpressionParser.parse("xor(file:" + path + ",file:" + link + ",health=off)");
        SourceRegistry sources = new SourceRegistry(twice, readable::release, System::nanoTime);
        byte[] xor;
        try (EntropySource source = sources.open("guest")) {
            xor = read(source, 64);
        }

        assertFalse(Arrays.equals(new byte[64], xor), "each byte was combined with itself");
    }

    @Test
    void returnsNoByteTwiceThroughHardLink() throws IOException, InterruptedException {
        byte[] content = unrepeatedBytes(10);
        Path path = Files.write(directory.resolve("file"), content);
        Path link = Files.createLink(directory.resolve("link"), path);
        try (EntropySource source = untested(path).open(readable::release)) {
            assertArrayEquals(content, read(source, 10));
        }

        try (EntropySource source = untested(link).open(readable::release);
                Arena arena = Arena.ofConfined()) {
            assertEquals(EntropySource.FAILED, fillByte(source, arena.allocate(1)));
        }
    }

    private void replace(Path path, byte[] content) throws IOException {
        Path successor = Files.write(directory.resolve("successor"), content);
        Files.move(successor, path, StandardCopyOption.REPLACE_EXISTING);
    }

    @Test
    void readsReplacedFileFromItsStartAfterReopening() throws IOException, InterruptedException {
        SharedSourceSpec spec = untested(Files.write(directory.resolve("file"), unrepeatedBytes(400_000)));
        try (EntropySource source = spec.open(readable::release)) {
            read(source, 100);
        }
        byte[] successor = unrepeatedBytes(300);

        replace(directory.resolve("file"), successor);

        try (EntropySource source = spec.open(readable::release)) {
            assertArrayEquals(successor, read(source, 300));
        }
    }

    @Test
    void readsReplacedFileAfterTheEndOfTheOldOne() throws IOException, InterruptedException {
        byte[] old = unrepeatedBytes(2000);
        byte[] successor = unrepeatedBytes(3000);
        Path path = Files.write(directory.resolve("file"), old);
        try (EntropySource source = file(path).open(readable::release);
                Arena arena = Arena.ofConfined()) {
            assertArrayEquals(old, read(source, 2000));
            assertEquals(EntropySource.FAILED, fillByte(source, arena.allocate(1)));

            replace(path, successor);

            assertArrayEquals(successor, read(source, 3000));
        }
    }

    @Test
    void returnsNoByteTwiceOfFileThatReturnsToItsPath() throws IOException, InterruptedException {
        Path path = Files.write(directory.resolve("file"), unrepeatedBytes(10));
        SharedSourceSpec spec = untested(path);
        try (EntropySource source = spec.open(readable::release)) {
            read(source, 10);
        }
        Files.move(path, directory.resolve("old"));
        replace(path, unrepeatedBytes(20));
        try (EntropySource source = spec.open(readable::release)) {
            read(source, 20);
        }

        Files.move(directory.resolve("old"), path, StandardCopyOption.REPLACE_EXISTING);

        try (EntropySource source = spec.open(readable::release);
                Arena arena = Arena.ofConfined()) {
            assertEquals(EntropySource.FAILED, fillByte(source, arena.allocate(1)));
        }
    }

    @Test
    void continuesWithBytesAppendedToFile() throws IOException, InterruptedException {
        Path path = Files.write(directory.resolve("file"), new byte[] {1});
        try (EntropySource source = untested(path).open(readable::release);
                Arena arena = Arena.ofConfined()) {
            read(source, 1);
            assertEquals(EntropySource.FAILED, fillByte(source, arena.allocate(1)));

            Files.write(path, new byte[] {2}, StandardOpenOption.APPEND);

            assertArrayEquals(new byte[] {2}, read(source, 1));
        }
    }

    @Test
    void notifiesWhenEmptyFifoHasBytes() throws Exception {
        Path fifo = fifo();
        try (EntropySource source = untested(fifo).open(readable::release);
                Arena arena = Arena.ofConfined()) {
            int before = source.fill(arena.allocate(4), 0, 4);

            try (OutputStream writer = Files.newOutputStream(fifo)) {
                writer.write(new byte[] {1, 2, 3, 4});
            }

            assertEquals(EntropySource.WOULD_BLOCK, before);
            assertArrayEquals(new byte[] {1, 2, 3, 4}, read(source, 4));
        }
    }

    @Test
    void continuesWithNextWriterOfFifo() throws Exception {
        Path fifo = fifo();
        try (EntropySource source = untested(fifo).open(readable::release)) {
            try (OutputStream writer = Files.newOutputStream(fifo)) {
                writer.write(1);
            }
            byte[] first = read(source, 1);

            try (OutputStream writer = Files.newOutputStream(fifo)) {
                writer.write(2);
            }

            assertArrayEquals(new byte[] {1}, first);
            assertArrayEquals(new byte[] {2}, read(source, 1));
        }
    }

    @Test
    void writerOfFifoSurvivesProbeAndReopening() throws Exception {
        Path fifo = fifo();
        SharedSourceSpec spec = untested(fifo);
        Process writer = new ProcessBuilder("sh", "-c", "exec cat /dev/zero >" + fifo).start();
        try {
            spec.probe();
            for (int i = 0; i < 3; i++) {
                try (EntropySource source = spec.open(readable::release)) {
                    read(source, 100_000);
                }
            }

            assertFalse(writer.waitFor(1, TimeUnit.SECONDS), "the writer was killed");
        } finally {
            writer.destroyForcibly();
        }
    }

    @Test
    void probeDoesNotOpenAFifo() throws Exception {
        Path fifo = fifo();
        Path opened = directory.resolve("opened");
        Process writer =
                new ProcessBuilder("sh", "-c", "exec 3>" + fifo + "; touch " + opened + "; cat /dev/zero >&3").start();
        try {
            file(fifo).probe();

            assertFalse(writer.waitFor(1, TimeUnit.SECONDS), "the writer was killed");
            assertTrue(Files.notExists(opened), "the FIFO was opened");
        } finally {
            writer.destroyForcibly();
        }
    }

    @Test
    void continuesWithTheFileThatReplacesAFifo() throws Exception {
        Path path = fifo();
        try (EntropySource source = untested(path).open(readable::release)) {
            try (OutputStream writer = Files.newOutputStream(path)) {
                writer.write(1);
            }
            byte[] first = read(source, 1);

            replace(path, new byte[] {2, 3});

            assertArrayEquals(new byte[] {1}, first);
            assertArrayEquals(new byte[] {2, 3}, read(source, 2));
        }
    }

    @Test
    void continuesWithTheFifoThatReplacesAFile() throws Exception {
        Path path = Files.write(directory.resolve("source"), new byte[] {1});
        try (EntropySource source = untested(path).open(readable::release)) {
            byte[] first = read(source, 1);
            Files.move(fifo(), path, StandardCopyOption.REPLACE_EXISTING);

            try (OutputStream writer = Files.newOutputStream(path)) {
                writer.write(2);

                assertArrayEquals(new byte[] {1}, first);
                assertArrayEquals(new byte[] {2}, read(source, 1));
            }
        }
    }

    @Test
    void notifiesWhenFifoWithoutWriterIsRecreated() throws Exception {
        Path fifo = fifo();
        try (EntropySource source = untested(fifo).open(readable::release);
                Arena arena = Arena.ofConfined()) {
            assertEquals(EntropySource.WOULD_BLOCK, source.fill(arena.allocate(1), 0, 1));
            Files.delete(fifo);

            try (OutputStream writer = Files.newOutputStream(fifo(), StandardOpenOption.WRITE)) {
                writer.write(3);

                assertArrayEquals(new byte[] {3}, read(source, 1));
            }
        }
    }

    @Test
    void continuesWithRecreatedFifo() throws Exception {
        Path fifo = fifo();
        try (EntropySource source = untested(fifo).open(readable::release)) {
            try (OutputStream writer = Files.newOutputStream(fifo)) {
                writer.write(1);
                Files.delete(fifo);
            }
            byte[] first = read(source, 1);

            try (OutputStream writer = Files.newOutputStream(fifo())) {
                writer.write(2);
            }

            assertArrayEquals(new byte[] {1}, first);
            assertArrayEquals(new byte[] {2}, read(source, 1));
        }
    }

    private Path fifo() throws IOException, InterruptedException {
        Path fifo = directory.resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        return fifo;
    }

    private static int indexOf(byte[] content, byte[] part) {
        for (int i = 0; i + part.length <= content.length; i++) {
            if (Arrays.equals(content, i, i + part.length, part, 0, part.length)) {
                return i;
            }
        }
        return -1;
    }
}
