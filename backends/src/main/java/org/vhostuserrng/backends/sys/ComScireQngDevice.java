package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.vhostuserrng.libc.Libc;

/**
 * A ComScire quantum random number generator, accessed through libqwqngx, the C interface of its driver. The driver
 * supports one device per host. Confined to one thread.
 */
@SuppressWarnings("restricted")
public final class ComScireQngDevice implements AutoCloseable {
    /** Maximum number of bytes of one driver call. */
    public static final int MAX_READ_BYTES = 8192;

    // Status codes of libqwqng. The C interface returns 0 or -1 and describes the error in a string.
    private static final int S_OK = 0;
    private static final int QNG_S_OK = 0x44400;
    private static final int MAX_STATUS_BYTES = 256;

    private final Arena arena;
    private final SymbolLookup library;
    private final MemorySegment randbytes;
    private final long handle;

    private ComScireQngDevice(Arena arena, SymbolLookup library, long handle) throws IOException {
        this.arena = arena;
        this.library = library;
        this.handle = handle;
        this.randbytes = symbol(library, "qwqngx_randbytes");
    }

    /**
     * Loads the library and opens the device.
     *
     * @param path the path of the library; the dynamic linker searches for a name without a slash
     * @throws IOException if the library or the device is missing
     */
    public static ComScireQngDevice open(String path) throws IOException {
        Arena arena = Arena.ofConfined();
        try {
            SymbolLookup library = load(path, arena);
            MemorySegment handle = arena.allocate(ValueLayout.JAVA_LONG);
            int status = Libc.callForeign(symbol(library, "qwqngx_init"), handle.address(), 0, 0);
            long device = handle.get(ValueLayout.JAVA_LONG, 0);
            if (!isOk(status) || device == 0) {
                throw new IOException("no usable device: " + describe(status));
            }
            return new ComScireQngDevice(arena, library, device);
        } catch (IOException | RuntimeException refused) {
            arena.close();
            throw refused;
        }
    }

    /** Fills memory with 1 to {@link #MAX_READ_BYTES} random bytes. */
    public void fill(MemorySegment target, long offset, int length) throws IOException {
        long address = EntropyFile.address(target, offset, length);
        int status = Libc.callForeign(randbytes, handle, address, length);
        if (!isOk(status)) {
            throw new IOException("read failed: " + describe(status) + statusString());
        }
    }

    private static boolean isOk(int status) {
        return status == S_OK || status == QNG_S_OK;
    }

    private static String describe(int status) {
        return switch (status) {
            case 0x8004_4401 -> "general error";
            case 0x8004_4402 -> "I/O error";
            case 0x8004_4403 -> "timeout";
            case 0x8004_4404 -> "request too long";
            case 0x8004_4406 -> "failed its own statistics tests";
            case 0x8004_4407, 0x8004_4408 -> "not supported";
            case 0x8004_440a -> "device not opened";
            default -> "status " + status;
        };
    }

    /** Returns the library's description of the last error, after a comma; empty if there is none. */
    private String statusString() {
        long text = library.find("qwqngx_status_string")
                .map(status -> Libc.callLong(status, handle, 0, 0, 0, 0, 0))
                .orElse(0L);
        if (text == 0) {
            return "";
        }
        StringBuilder description = new StringBuilder(", ");
        MemorySegment characters = MemorySegment.ofAddress(text).reinterpret(MAX_STATUS_BYTES);
        for (int i = 0; i < MAX_STATUS_BYTES && characters.get(ValueLayout.JAVA_BYTE, i) != 0; i++) {
            description.append((char) (characters.get(ValueLayout.JAVA_BYTE, i) & 0xff));
        }
        return description.toString();
    }

    @Override
    public void close() {
        library.find("qwqngx_free").ifPresent(free -> Libc.callForeign(free, handle, 0, 0));
        arena.close();
    }

    private static SymbolLookup load(String path, Arena arena) throws IOException {
        try {
            return path.indexOf('/') < 0
                    ? SymbolLookup.libraryLookup(path, arena)
                    : SymbolLookup.libraryLookup(Path.of(path), arena);
        } catch (IllegalArgumentException missing) {
            throw new IOException("cannot load library " + path, missing);
        }
    }

    private static MemorySegment symbol(SymbolLookup library, String name) throws IOException {
        return library.find(name).orElseThrow(() -> new IOException("the library has no function " + name));
    }
}
