package org.vhostuserrng.backends.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.backends.expression.SourceExpressionParser;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.SharedSourceSpec;
import org.vhostuserrng.backends.sys.ComScireQngDevice;

/** Tests with a fake libqwqngx, which the test compiles. */
class ComScireQngSourceSpecTest {
    /**
     * The source of a fake libqwqngx: a linear congruential generator. Its device is present while the file DEVICE
     * exists.
     */
    private static final String FAKE_LIBRARY = """
            #include <errno.h>
            #include <stdio.h>
            #include <stdlib.h>
            #include <time.h>
            #include <unistd.h>
            typedef struct { unsigned long state; } qwqngx;
            int qwqngx_init(qwqngx **q) {
              if (access(DEVICE, F_OK)) { errno = 0; return -1; }
              *q = malloc(sizeof **q);
              struct timespec now;
              clock_gettime(CLOCK_REALTIME, &now);
              (*q)->state = now.tv_sec * 1000000000ul + now.tv_nsec;
              return 0;
            }
            int qwqngx_free(qwqngx *q) { free(q); return 0; }
            int qwqngx_randbytes(qwqngx *q, char *out, int n) {
              if (access(DEVICE, F_OK)) { errno = 0; return -1; }
              if (access(DEVICE ".slow", F_OK) == 0) return 0x80044403;
              if (n != 8192) return 0x80044404;
              for (int i = 0; i < n; i++) {
                q->state = q->state * 6364136223846793005ul + 1442695040888963407ul;
                out[i] = q->state >> 56;
              }
              return 0;
            }
            char *qwqngx_status_string(qwqngx *q) { return "QNG device not opened"; }
            """;

    @TempDir
    private Path directory;

    private Path device;
    private Path library;

    @BeforeEach
    void compile() throws Exception {
        Path source = Files.writeString(directory.resolve("standin.c"), FAKE_LIBRARY);
        device = Files.createFile(directory.resolve("device"));
        library = directory.resolve("libstandin.so");
        assumeTrue(
                compiles("-DDEVICE=\"" + device + "\"", source.toString()),
                "no C compiler: the ComScire source is not tested");
    }

    private boolean compiles(String definition, String source) throws InterruptedException {
        try {
            return new ProcessBuilder("cc", "-shared", "-fPIC", definition, "-o", library.toString(), source)
                            .inheritIO()
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException noCompiler) {
            return false;
        }
    }

    private SharedSourceSpec spec() {
        return (SharedSourceSpec) SourceExpressionParser.parse("qng:" + library);
    }

    private static int fill(EntropySource source, MemorySegment target, Semaphore readable)
            throws InterruptedException {
        int filled = source.fill(target, 0, (int) target.byteSize());
        while (filled == EntropySource.WOULD_BLOCK) {
            assertTrue(readable.tryAcquire(120, TimeUnit.SECONDS), "no notification");
            filled = source.fill(target, 0, (int) target.byteSize());
        }
        return filled;
    }

    @Test
    void probeSucceedsWithDevice() throws IOException {
        spec().probe();

        assertTrue(Files.exists(device));
    }

    @Test
    void probeFailsWithoutDevice() throws IOException {
        Files.delete(device);

        IOException refused = assertThrows(IOException.class, () -> spec().probe());

        assertTrue(refused.getMessage().contains("no usable device"), refused.getMessage());
    }

    @Test
    void probeFailsWithoutLibrary() throws IOException {
        Files.delete(library);

        assertThrows(IOException.class, () -> spec().probe());
    }

    @Test
    void servesBytesOfTheDevice() throws Exception {
        Semaphore readable = new Semaphore(0);
        MemorySegment target = Arena.ofAuto().allocate(64);

        try (EntropySource source = spec().open(readable::release)) {
            int filled = fill(source, target, readable);

            assertEquals(64, filled);
            assertNotEquals(-1, target.mismatch(Arena.ofAuto().allocate(64)));
        }
    }

    @Test
    void recoversWhenDeviceIsPluggedInAgain() throws Exception {
        Semaphore readable = new Semaphore(0);
        MemorySegment target = Arena.ofAuto().allocate(4096);
        try (EntropySource source = spec().open(readable::release)) {
            fill(source, target, readable);
            Files.delete(device);
            int unplugged = fillUntil(EntropySource.FAILED, source, target, readable);

            Files.createFile(device);

            assertEquals(EntropySource.FAILED, unplugged);
            assertEquals(4096, fillUntil(4096, source, target, readable));
        }
    }

    /**
     * Calls fill until it returns {@code result}: before a failure, it returns blocks that were read ahead, and before
     * the next attempt, it returns failures.
     */
    private static int fillUntil(int result, EntropySource source, MemorySegment target, Semaphore readable)
            throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
        int filled = fill(source, target, readable);
        while (filled != result && System.nanoTime() < end) {
            TimeUnit.MILLISECONDS.sleep(1);
            filled = fill(source, target, readable);
        }
        return filled;
    }

    @Test
    void reportsErrorOfTheDevice() throws IOException {
        Files.createFile(directory.resolve("device.slow"));

        try (ComScireQngDevice open = ComScireQngDevice.open(library.toString())) {
            IOException slow = assertThrows(
                    IOException.class, () -> open.fill(Arena.ofAuto().allocate(8192), 0, 8192));

            assertTrue(slow.getMessage().contains("timeout"), slow.getMessage());
            assertTrue(slow.getMessage().contains("QNG device not opened"), slow.getMessage());
        }
    }

    @Test
    void failsWhileDeviceIsUnplugged() throws Exception {
        Semaphore readable = new Semaphore(0);
        Files.delete(device);

        try (EntropySource source = spec().open(readable::release)) {
            assertEquals(EntropySource.FAILED, fill(source, Arena.ofAuto().allocate(64), readable));
        }
    }
}
