package org.vhostuserrng.backends;

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
import org.vhostuserrng.backends.sys.ComScireQngLibrary;

/** A ComScire generator, played by a library with the interface of libqwqngx that the test compiles. */
class ComScireQngSourceSpecTest {
    /** Random bytes of a linear congruential generator; the device exists while the file DEVICE does. */
    private static final String STAND_IN = """
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
        Path source = Files.writeString(directory.resolve("standin.c"), STAND_IN);
        device = Files.createFile(directory.resolve("device"));
        library = directory.resolve("libstandin.so");
        assumeTrue(
                compiles("-DDEVICE=\"" + device + "\"", source.toString()),
                "NO C COMPILER HERE: the ComScire source is not tested");
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
        return (SharedSourceSpec) EntropySourceSpec.parse("qng:" + library);
    }

    private static int ask(EntropySource source, MemorySegment target, Semaphore nudged) throws InterruptedException {
        int filled = source.fill(target, 0, (int) target.byteSize());
        while (filled == EntropySource.NOT_NOW) {
            assertTrue(nudged.tryAcquire(120, TimeUnit.SECONDS), "nothing happens");
            filled = source.fill(target, 0, (int) target.byteSize());
        }
        return filled;
    }

    @Test
    void isUsableWithADevice() throws IOException {
        spec().check();

        assertTrue(Files.exists(device));
    }

    @Test
    void isUnusableWithoutADevice() throws IOException {
        Files.delete(device);

        IOException refused = assertThrows(IOException.class, () -> spec().check());

        assertTrue(refused.getMessage().contains("no device"), refused.getMessage());
    }

    @Test
    void isUnusableWithoutTheLibrary() throws IOException {
        Files.delete(library);

        assertThrows(IOException.class, () -> spec().check());
    }

    @Test
    void servesWhatTheDeviceGives() throws Exception {
        Semaphore nudged = new Semaphore(0);
        MemorySegment target = Arena.ofAuto().allocate(64);

        try (EntropySource source = spec().open(nudged::release)) {
            int filled = ask(source, target, nudged);

            assertEquals(64, filled);
            assertNotEquals(-1, target.mismatch(Arena.ofAuto().allocate(64)));
        }
    }

    @Test
    void failsWhenTheDeviceIsUnpluggedAndGoesOnWhenItIsPluggedIn() throws Exception {
        Semaphore nudged = new Semaphore(0);
        MemorySegment target = Arena.ofAuto().allocate(4096);
        try (EntropySource source = spec().open(nudged::release)) {
            ask(source, target, nudged);
            Files.delete(device);
            int unplugged = askUntil(EntropySource.FAILED, source, target, nudged);

            Files.createFile(device);

            assertEquals(EntropySource.FAILED, unplugged);
            assertEquals(4096, askUntil(4096, source, target, nudged));
        }
    }

    /** Blocks that were read ahead come before a failure, and failures until the next attempt. */
    private static int askUntil(int outcome, EntropySource source, MemorySegment target, Semaphore nudged)
            throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
        int filled = ask(source, target, nudged);
        while (filled != outcome && System.nanoTime() < end) {
            TimeUnit.MILLISECONDS.sleep(1);
            filled = ask(source, target, nudged);
        }
        return filled;
    }

    @Test
    void namesTheErrorOfTheDevice() throws IOException {
        Files.createFile(directory.resolve("device.slow"));

        try (ComScireQngLibrary open = ComScireQngLibrary.open(library.toString())) {
            IOException slow = assertThrows(
                    IOException.class, () -> open.fill(Arena.ofAuto().allocate(8192), 0, 8192));

            assertTrue(slow.getMessage().contains("timeout"), slow.getMessage());
            assertTrue(slow.getMessage().contains("QNG device not opened"), slow.getMessage());
        }
    }

    @Test
    void failsWhileTheDeviceIsUnplugged() throws Exception {
        Semaphore nudged = new Semaphore(0);
        Files.delete(device);

        try (EntropySource source = spec().open(nudged::release)) {
            assertEquals(EntropySource.FAILED, ask(source, Arena.ofAuto().allocate(64), nudged));
        }
    }
}
